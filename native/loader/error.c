/* Errors: a status, the operation concerned, and one line for people. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "loader.h"

int bw_fail(bw_error *error, int status, const char *format, ...) {
    if (error) {
        error->status = status;
        error->operation = -1;
        va_list args;
        va_start(args, format);
        vsnprintf(error->message, sizeof error->message, format, args);
        va_end(args);
    }
    return status;
}

void bw_fail_in(bw_error *error, uint32_t operation, const char *name) {
    if (!error || error->operation >= 0) return;
    char message[sizeof error->message];
    memcpy(message, error->message, sizeof message);
    error->operation = (int32_t)operation;
    int length = snprintf(error->message, sizeof error->message, "operation %u (%s): ", operation, name);
    snprintf(error->message + length, sizeof error->message - (size_t)length, "%s", message);
}
