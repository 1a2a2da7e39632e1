/* The table of operations, generated into ops.h. */
#include "loader.h"

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "bitwright reads its little-endian files in place; this machine is big-endian"
#endif

#define ROW(code, version, least, most, n_attrs, n_consts, name, ...) \
    [code] = {name, version, least, most, n_attrs, n_consts, {__VA_ARGS__}},
const bw_op_spec bw_op_specs[BW_N_OPS] = {BW_OP_TABLE(ROW)};

#define FITS(code, version, least, most, n_attrs, n_consts, name, ...)                            \
    _Static_assert(most <= BW_MAX_INPUTS && n_attrs <= BW_MAX_ATTRS && n_consts <= BW_MAX_CONSTS, \
                   "raise the constants of loader.h");
BW_OP_TABLE(FITS)
