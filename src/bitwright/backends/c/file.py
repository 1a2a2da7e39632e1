"""Puts the C file and its header together."""

from string import Template

from bitwright.backends.c import counting, moves, sums, tables  # noqa: F401  (they join RULES)
from bitwright.backends.c.ends import input_ctype, reads_bytes, threshold_bytes, write_input
from bitwright.backends.c.memory import places
from bitwright.backends.c.source import RULES, Ref, Source, ctype_of
from bitwright.ir.program import Program
from bitwright.ir.types import ProgramError

LANES = (1, 8, 16, 32, 64, 128, 256, 512)
MEMORY = {"word": "bits", "int32_t": "ints", "int64_t": "wide"}
SUMS = ("xnor_linear", "xnor_conv2d", "int_linear", "int_conv2d")


def export_c(program: Program, name: str, lanes: int = 0) -> dict[str, str]:
    """NAME.c and NAME.h: C99, no allocation, nothing of libc but memcpy's header, every number of the Program inside.

    lanes: samples that run together, one a bit of a word: 1, 8, 16, 32, 64, or 128, 256, 512 in several words; 0 takes
        64 for Programs of tables, and 1 for Programs of sums, which pack along channels instead. Tables of large
        batches run fastest with 512, which a single sample pays for.
    Raises ProgramError naming an operation without a rule, ValueError for another number of lanes.
    """
    used = {op.name for op in program.ops} - {"input", "output", "reshape"}
    for op in used - set(RULES):
        raise ProgramError(f"export c: no rule for {op!r}; rules: {', '.join(sorted({*RULES, 'reshape'}))}")
    lanes = lanes or (1 if used & set(SUMS) else 64)
    if lanes not in LANES:
        raise ValueError(f"export c: lanes is {lanes}, expected one of {', '.join(map(str, LANES))}")
    source, sizes = _source(program, lanes)
    scores = program.types[-1]
    names = {
        "name": name, "NAME": name.upper(), "lanes": lanes, "word": _word(lanes), "words": source.words,
        "word_bits": min(max(lanes, 8), 64),
        "input": input_ctype(program), "score": ctype_of(scores), "inputs": program.input_type.n_values,
        "classes": program.n_classes, "takes": _takes(program), "memory": _memory(sizes, source, lanes),
        "scores": f"m->{MEMORY[ctype_of(scores)]}", "scores_at": source.scores_at,
        "definitions": "\n\n".join(source.definitions), "calls": "\n".join(f"    {call}" for call in source.calls),
    }  # fmt: skip
    return {f"{name}.h": Template(_HEADER).substitute(names), f"{name}.c": Template(_FILE).substitute(names)}


class _Source(Source):
    scores_at = 0


def _source(program: Program, lanes: int) -> tuple[_Source, dict[str, int]]:
    ops, types = program.ops, program.types
    owner = list(range(len(ops)))
    for number, op in enumerate(ops):
        if op.name in ("reshape", "output"):
            owner[number] = owner[op.inputs[0]]
    direct = [reads_bytes(program, lanes, op) for op in ops]
    copied = any(0 in (owner[i] for i in op.inputs) and not direct[n] and owner[n] == n for n, op in enumerate(ops))
    ctypes = [ctype_of(t) for t in types]
    if not copied and owner[-1] != 0:
        ctypes[0] = ""
    offsets, sizes = places(program, owner, ctypes)
    source = _Source(lanes)
    refs = []
    for number, type_ in enumerate(types):
        ctype = ctypes[owner[number]]
        at = offsets[number] * (source.words if ctype == "word" else lanes)
        refs.append(Ref(type_, ctype, f"m->{MEMORY[ctype]} + {at}" if ctype else "x"))
    if ctypes[0]:
        write_input(source, program, refs[0])
    for number, op in enumerate(ops):
        if number == 0 or owner[number] != number:
            continue
        name = f"{op.name}_{number}"
        if direct[number]:
            threshold_bytes(source, op, name, refs[number], program.input_type.shape)
        else:
            RULES[op.name](source, op, name, [refs[i] for i in op.inputs], refs[number])
    source.scores_at = offsets[-1]
    return source, sizes


def _memory(sizes: dict[str, int], source: Source, lanes: int) -> str:
    word = _word(lanes)
    fields = [
        (word, "bits", sizes.get("word", 0) * source.words),
        ("int32_t", "ints", sizes.get("int32_t", 0) * lanes),
        ("int64_t", "wide", sizes.get("int64_t", 0) * lanes),
        (word, "scratch", source.scratch["word"]),
        ("uint64_t", "packed", source.scratch["uint64_t"]),
    ]
    return "\n".join(f"    {ctype} {field}[{count}];" for ctype, field, count in fields if count)


def _word(lanes: int) -> str:
    return f"uint{min(max(lanes, 8), 64)}_t"


def _takes(program: Program) -> str:
    type_ = program.input_type
    shape = " x ".join(str(d) for d in type_.shape)
    ranged = {"bits": "0 or 1 each", "int": f"{type_.lo}..{type_.hi} each", "float": "no NaN"}[type_.kind]
    return f"{shape} values, {ranged}"


_HEADER = """\
/* $name: a network of bits as C99, written by bitwright. One sample is $takes, in row-major order.
   Nothing is allocated; scores and classes are those of the Program, bit for bit. Values outside the
   stated range are the caller's mistake. */
#ifndef BITWRIGHT_${NAME}_H
#define BITWRIGHT_${NAME}_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ${NAME}_INPUTS $inputs
#define ${NAME}_CLASSES $classes

typedef $input ${name}_input;
typedef $score ${name}_score;

/* What a run works in; needs no initialisation. One for each thread that calls ${name}_batch_in. */
typedef struct {
$memory
} ${name}_memory;

/* scores[i * ${NAME}_CLASSES + k] of sample i and class k, for n samples of ${NAME}_INPUTS values one after another. */
void ${name}_batch_in(${name}_memory *memory, const ${name}_input *x, size_t n, ${name}_score *scores);

/* The same in memory of its own: one thread at a time. Compile with -D${NAME}_NO_STATIC to leave them out. */
void ${name}_batch(const ${name}_input *x, size_t n, ${name}_score *scores);
void ${name}_scores(const ${name}_input *x, ${name}_score *scores);

/* The class with the largest score; the lowest index wins a tie. */
int32_t ${name}_class(const ${name}_input *x);

#ifdef __cplusplus
}
#endif
#endif
"""

_FILE = """\
/* $name: written by bitwright from a Program; see $name.h. */
#include "$name.h"

#include <string.h>

#if defined(__GNUC__)
#define PART __attribute__((noinline))
#else
#define PART
#endif

/* LANES samples run together: a signal is WORDS words with a bit for each, an integer value LANES numbers. */
#define LANES $lanes
#define WORDS $words
#define WORD_BITS $word_bits
#define AT(i) ((i) * LANES + l)
#define W(i) ((i) * WORDS + q)
#define BIT(x, i) ((int32_t)((x)[(i) * WORDS + l / WORD_BITS] >> l % WORD_BITS & 1))
#define EACH_WORD for (int32_t q = 0; q < WORDS; q++)
#define EACH_LANE for (int32_t l = 0; l < n; l++)
typedef $word word;

$definitions

static void run_block(${name}_memory *m, const ${name}_input *x, int32_t n, ${name}_score *scores)
{
$calls
    EACH_LANE
        for (int32_t i = 0; i < $classes; i++)
            scores[l * $classes + i] = ($scores + $scores_at * LANES)[AT(i)];
}

void ${name}_batch_in(${name}_memory *memory, const ${name}_input *x, size_t n, ${name}_score *scores)
{
    for (size_t i = 0; i < n; i += LANES)
        run_block(memory, x + i * ${NAME}_INPUTS, (int32_t)(n - i < LANES ? n - i : LANES),
                  scores + i * ${NAME}_CLASSES);
}

#ifndef ${NAME}_NO_STATIC
static ${name}_memory own_memory;

void ${name}_batch(const ${name}_input *x, size_t n, ${name}_score *scores)
{
    ${name}_batch_in(&own_memory, x, n, scores);
}

void ${name}_scores(const ${name}_input *x, ${name}_score *scores)
{
    ${name}_batch_in(&own_memory, x, 1, scores);
}

int32_t ${name}_class(const ${name}_input *x)
{
    ${name}_score scores[${NAME}_CLASSES];
    int32_t best = 0;
    ${name}_batch_in(&own_memory, x, 1, scores);
    for (int32_t i = 1; i < ${NAME}_CLASSES; i++)
        if (scores[i] > scores[best])
            best = i;
    return best;
}
#endif
"""
