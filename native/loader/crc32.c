/* CRC-32 of ISO 3309 (zlib's), polynomial 0xEDB88320 reflected; eight bytes a step by tables made on the stack. */
#include <string.h>
#include "loader.h"

uint32_t bw_crc32(uint32_t crc, const uint8_t *bytes, size_t n) {
    uint32_t table[8][256];
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t c = i;
        for (int bit = 0; bit < 8; bit++) c = (c >> 1) ^ (0xEDB88320u & (0u - (c & 1)));
        table[0][i] = c;
    }
    for (int t = 1; t < 8; t++)
        for (int i = 0; i < 256; i++) table[t][i] = (table[t - 1][i] >> 8) ^ table[0][table[t - 1][i] & 255];
    crc = ~crc;
    for (; n >= 8; n -= 8, bytes += 8) {
        uint32_t low, high;
        memcpy(&low, bytes, 4);
        memcpy(&high, bytes + 4, 4);
        low ^= crc;
        crc = table[7][low & 255] ^ table[6][low >> 8 & 255] ^ table[5][low >> 16 & 255] ^ table[4][low >> 24] ^
              table[3][high & 255] ^ table[2][high >> 8 & 255] ^ table[1][high >> 16 & 255] ^ table[0][high >> 24];
    }
    for (; n; n--, bytes++) crc = (crc >> 8) ^ table[0][(crc ^ *bytes) & 255];
    return ~crc;
}
