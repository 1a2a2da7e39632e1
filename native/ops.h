/* Generated from the table of operations by `python -m bitwright.ir.generate`. Do not edit. */
#ifndef BITWRIGHT_OPS_H
#define BITWRIGHT_OPS_H

enum bw_dtype {
    BW_DTYPE_NONE = 0,
    BW_DTYPE_BIT = 1,
    BW_DTYPE_I4 = 2,
    BW_DTYPE_U8 = 3,
    BW_DTYPE_I8 = 4,
    BW_DTYPE_U16 = 5,
    BW_DTYPE_I16 = 6,
    BW_DTYPE_U32 = 7,
    BW_DTYPE_I32 = 8,
    BW_DTYPE_U64 = 9,
    BW_DTYPE_I64 = 10,
    BW_DTYPE_F32 = 11,
};

enum bw_op {
    BW_OP_INPUT = 0,
    BW_OP_THRESHOLD = 1,
    BW_OP_DIGITIZE = 2,
    BW_OP_XNOR_LINEAR = 3,
    BW_OP_XNOR_CONV2D = 4,
    BW_OP_INT_LINEAR = 5,
    BW_OP_INT_CONV2D = 6,
    BW_OP_LUT = 7,
    BW_OP_LUT_CONV2D = 8,
    BW_OP_COUNT = 9,
    BW_OP_PROJECT = 10,
    BW_OP_AFFINE = 11,
    BW_OP_PRELU = 12,
    BW_OP_CLIP = 13,
    BW_OP_ADD = 14,
    BW_OP_MAX_POOL2D = 15,
    BW_OP_SUM_POOL2D = 16,
    BW_OP_PATCHES = 17,
    BW_OP_GATHER = 18,
    BW_OP_RESHAPE = 19,
    BW_OP_CONCAT = 20,
    BW_OP_PAD = 21,
    BW_OP_TO_INT = 22,
    BW_OP_OUTPUT = 23,
    BW_OP_COUNT_ = 24
};

enum bw_accumulator {
    BW_ACCUMULATOR_INT32 = 0,
    BW_ACCUMULATOR_WRAP8 = 1,
    BW_ACCUMULATOR_WRAP8_HALF = 2,
};

enum bw_mode {
    BW_MODE_BITS = 0,
    BW_MODE_SIGNS = 1,
};

enum bw_kind {
    BW_KIND_RADEMACHER = 0,
    BW_KIND_GAUSSIAN = 1,
    BW_KIND_HADAMARD = 2,
};

enum bw_value {
    BW_VALUE_BITS = 0,
    BW_VALUE_INT = 1,
    BW_VALUE_FLOAT = 2,
};

/* Places of attributes and constants in a record. */
enum { BW_INPUT_VALUE = 0, BW_INPUT_NDIM = 1, BW_INPUT_DIM0 = 2, BW_INPUT_DIM1 = 3, BW_INPUT_DIM2 = 4, BW_INPUT_LO = 5, BW_INPUT_HI = 6 };
enum { BW_THRESHOLD_C_T = 0, BW_THRESHOLD_C_FLIP = 1 };
enum { BW_DIGITIZE_C_T = 0 };
enum { BW_XNOR_LINEAR_ACCUMULATOR = 0 };
enum { BW_XNOR_LINEAR_C_W = 0 };
enum { BW_XNOR_CONV2D_KERNEL_H = 0, BW_XNOR_CONV2D_KERNEL_W = 1, BW_XNOR_CONV2D_STRIDE_H = 2, BW_XNOR_CONV2D_STRIDE_W = 3, BW_XNOR_CONV2D_PAD_TOP = 4, BW_XNOR_CONV2D_PAD_BOTTOM = 5, BW_XNOR_CONV2D_PAD_LEFT = 6, BW_XNOR_CONV2D_PAD_RIGHT = 7, BW_XNOR_CONV2D_DILATION_H = 8, BW_XNOR_CONV2D_DILATION_W = 9, BW_XNOR_CONV2D_GROUPS = 10, BW_XNOR_CONV2D_PAD_VALUE = 11, BW_XNOR_CONV2D_ACCUMULATOR = 12 };
enum { BW_XNOR_CONV2D_C_W = 0 };
enum { BW_INT_LINEAR_C_W = 0 };
enum { BW_INT_CONV2D_KERNEL_H = 0, BW_INT_CONV2D_KERNEL_W = 1, BW_INT_CONV2D_STRIDE_H = 2, BW_INT_CONV2D_STRIDE_W = 3, BW_INT_CONV2D_PAD_TOP = 4, BW_INT_CONV2D_PAD_BOTTOM = 5, BW_INT_CONV2D_PAD_LEFT = 6, BW_INT_CONV2D_PAD_RIGHT = 7, BW_INT_CONV2D_DILATION_H = 8, BW_INT_CONV2D_DILATION_W = 9, BW_INT_CONV2D_GROUPS = 10, BW_INT_CONV2D_PAD_VALUE = 11 };
enum { BW_INT_CONV2D_C_W = 0 };
enum { BW_LUT_K = 0 };
enum { BW_LUT_C_WIRING = 0, BW_LUT_C_TABLE = 1 };
enum { BW_LUT_CONV2D_KERNEL_H = 0, BW_LUT_CONV2D_KERNEL_W = 1, BW_LUT_CONV2D_STRIDE_H = 2, BW_LUT_CONV2D_STRIDE_W = 3, BW_LUT_CONV2D_PAD_TOP = 4, BW_LUT_CONV2D_PAD_BOTTOM = 5, BW_LUT_CONV2D_PAD_LEFT = 6, BW_LUT_CONV2D_PAD_RIGHT = 7, BW_LUT_CONV2D_PAD_VALUE = 8, BW_LUT_CONV2D_K = 9 };
enum { BW_LUT_CONV2D_C_TAPS = 0, BW_LUT_CONV2D_C_WIRING = 1, BW_LUT_CONV2D_C_TABLE = 2, BW_LUT_CONV2D_C_OUTPUTS = 3 };
enum { BW_COUNT_C_START = 0, BW_COUNT_C_SIGNAL = 1, BW_COUNT_C_INVERT = 2, BW_COUNT_C_OFFSET = 3 };
enum { BW_PROJECT_KIND = 0, BW_PROJECT_N_OUT = 1, BW_PROJECT_SEED = 2, BW_PROJECT_LAYER = 3, BW_PROJECT_ROUNDS = 4, BW_PROJECT_SHIFT = 5 };
enum { BW_PROJECT_C_T = 0 };
enum { BW_AFFINE_C_MUL = 0, BW_AFFINE_C_ADD = 1, BW_AFFINE_C_SHIFT = 2 };
enum { BW_PRELU_C_POS = 0, BW_PRELU_C_NEG = 1, BW_PRELU_C_ADD = 2, BW_PRELU_C_SHIFT = 3 };
enum { BW_CLIP_LO = 0, BW_CLIP_HI = 1 };
enum { BW_ADD_C_B = 0 };
enum { BW_MAX_POOL2D_KERNEL_H = 0, BW_MAX_POOL2D_KERNEL_W = 1, BW_MAX_POOL2D_STRIDE_H = 2, BW_MAX_POOL2D_STRIDE_W = 3, BW_MAX_POOL2D_PAD_TOP = 4, BW_MAX_POOL2D_PAD_BOTTOM = 5, BW_MAX_POOL2D_PAD_LEFT = 6, BW_MAX_POOL2D_PAD_RIGHT = 7 };
enum { BW_SUM_POOL2D_KERNEL_H = 0, BW_SUM_POOL2D_KERNEL_W = 1, BW_SUM_POOL2D_STRIDE_H = 2, BW_SUM_POOL2D_STRIDE_W = 3, BW_SUM_POOL2D_PAD_TOP = 4, BW_SUM_POOL2D_PAD_BOTTOM = 5, BW_SUM_POOL2D_PAD_LEFT = 6, BW_SUM_POOL2D_PAD_RIGHT = 7 };
enum { BW_PATCHES_KERNEL_H = 0, BW_PATCHES_KERNEL_W = 1, BW_PATCHES_STRIDE_H = 2, BW_PATCHES_STRIDE_W = 3, BW_PATCHES_PAD_TOP = 4, BW_PATCHES_PAD_BOTTOM = 5, BW_PATCHES_PAD_LEFT = 6, BW_PATCHES_PAD_RIGHT = 7, BW_PATCHES_DILATION_H = 8, BW_PATCHES_DILATION_W = 9, BW_PATCHES_PAD_VALUE = 10 };
enum { BW_GATHER_C_INDEX = 0 };
enum { BW_RESHAPE_NDIM = 0, BW_RESHAPE_DIM0 = 1, BW_RESHAPE_DIM1 = 2, BW_RESHAPE_DIM2 = 3 };
enum { BW_PAD_PAD_BEFORE = 0, BW_PAD_PAD_AFTER = 1, BW_PAD_PAD_TOP = 2, BW_PAD_PAD_BOTTOM = 3, BW_PAD_PAD_LEFT = 4, BW_PAD_PAD_RIGHT = 5, BW_PAD_PAD_VALUE = 6 };
enum { BW_TO_INT_MODE = 0 };

/* code, version, least and most inputs, attributes, constants, name, and for each constant: */
/* dtypes as a bit mask, numbers of axes as a bit mask, whether it may be absent. */
#define BW_OP_TABLE(X) \
    X(0, 1, 0, 0, 7, 0, "input", {0, 0, 0}) \
    X(1, 1, 1, 1, 0, 2, "threshold", {0xd50, 0x4, 0}, {0x2, 0x2, 0}) \
    X(2, 1, 1, 1, 0, 1, "digitize", {0xd50, 0x4, 0}) \
    X(3, 1, 1, 1, 1, 1, "xnor_linear", {0x2, 0x4, 0}) \
    X(4, 1, 1, 1, 13, 1, "xnor_conv2d", {0x2, 0x10, 0}) \
    X(5, 1, 1, 1, 0, 1, "int_linear", {0x56, 0x4, 0}) \
    X(6, 1, 1, 1, 12, 1, "int_conv2d", {0x56, 0x10, 0}) \
    X(7, 1, 1, 1, 1, 2, "lut", {0xa8, 0x4, 0}, {0x2a8, 0x2, 0}) \
    X(8, 1, 1, 1, 10, 4, "lut_conv2d", {0xa8, 0x4, 0}, {0xa8, 0x4, 0}, {0x2a8, 0x2, 0}, {0xa8, 0x2, 0}) \
    X(9, 1, 1, 1, 0, 4, "count", {0xa8, 0x2, 0}, {0xa8, 0x2, 0}, {0x2, 0x2, 0}, {0x550, 0x2, 0}) \
    X(10, 1, 1, 1, 6, 1, "project", {0x550, 0x2, 1}) \
    X(11, 1, 1, 1, 0, 3, "affine", {0x150, 0x2, 0}, {0x550, 0x2, 0}, {0x8, 0x2, 0}) \
    X(12, 1, 1, 1, 0, 4, "prelu", {0x150, 0x2, 0}, {0x150, 0x2, 0}, {0x550, 0x2, 0}, {0x8, 0x2, 0}) \
    X(13, 1, 1, 1, 2, 0, "clip", {0, 0, 0}) \
    X(14, 1, 1, 2, 0, 1, "add", {0x550, 0xa, 1}) \
    X(15, 1, 1, 1, 8, 0, "max_pool2d", {0, 0, 0}) \
    X(16, 1, 1, 1, 8, 0, "sum_pool2d", {0, 0, 0}) \
    X(17, 1, 1, 1, 11, 0, "patches", {0, 0, 0}) \
    X(18, 1, 1, 1, 0, 1, "gather", {0xa8, 0x2, 0}) \
    X(19, 1, 1, 1, 4, 0, "reshape", {0, 0, 0}) \
    X(20, 1, 1, 64, 0, 0, "concat", {0, 0, 0}) \
    X(21, 1, 1, 1, 7, 0, "pad", {0, 0, 0}) \
    X(22, 1, 1, 1, 1, 0, "to_int", {0, 0, 0}) \
    X(23, 1, 1, 1, 0, 0, "output", {0, 0, 0})

#endif
