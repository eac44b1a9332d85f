/* What reads the same in the vectors whose conditions are vectors too: of AVX2, and of 16 bytes.  The file of the
   form has `real` and LANE_NUMBER, the numbers of its lanes, before it includes this. */
#ifndef NUMACT_SIMD_VECTORS_H
#define NUMACT_SIMD_VECTORS_H

/* Signed and as wide as the scalar; a condition is -1 where it is true. */
#if REAL_BITS == 32
typedef int32_t lane_integer;
#else
typedef int64_t lane_integer;
#endif
typedef lane_integer mask __attribute__((vector_size(sizeof(real))));
typedef bits real_bits __attribute__((vector_size(sizeof(real))));

enum { LANES = sizeof(real) / sizeof(scalar), UNROLL_FACTOR = 1 };
#define UNROLL_VECTORS _Pragma("GCC ivdep") _Pragma("GCC unroll 8")

/* By each form: a part of a vector, a selection, conditions as the lowest bits, and min and max that let a NaN in x
   through. */
INLINE real load_part(const scalar *p, ptrdiff_t n);
INLINE real select_real(mask condition, real a, real b);
INLINE unsigned mask_to_word(mask condition);
INLINE real at_most_real(real x, real bound);
INLINE real at_least_real(real x, real bound);

INLINE real_bits bits_of_real(real x) { return (real_bits)x; }
INLINE real real_of_bits(real_bits b) { return (real)b; }

/* Of LANES conditions the first n. */
INLINE mask lanes_below(ptrdiff_t n) { return (mask){LANE_NUMBER} < (lane_integer)n; }
/* The first n of LANES scalars, the others pad; n from 0 to LANES. */
INLINE real load_padded(const scalar *p, ptrdiff_t n, scalar pad)
{
    return select(lanes_below(n), load_part(p, n), pad);
}

INLINE int count_true(mask condition) { return __builtin_popcount(mask_to_word(condition)); }
INLINE mask lt_real(real a, real b) { return (mask)(a < b); }
INLINE mask le_real(real a, real b) { return (mask)(a <= b); }
INLINE mask eq_real(real a, real b) { return (mask)(a == b); }
INLINE mask not_le_real(real a, real b) { return ~(mask)(a <= b); }
INLINE mask both(mask a, mask b) { return a & b; }
INLINE mask either(mask a, mask b) { return a | b; }

/* Conditions that were met at least once: seen |= lanes_from_mask(condition). */
typedef unsigned lanes;
INLINE lanes lanes_from_mask(mask condition) { return mask_to_word(condition); }

/* FLAGS conditions, set and read LANES at a time, from and to a word that has the first of them as its lowest bit. */
typedef uint64_t flags;
INLINE flags flags_from_word(uint64_t word) { return word; }
INLINE uint64_t flags_to_word(const flags *f) { return *f; }
INLINE void set_flags(flags *f, int first, mask condition) { *f |= (uint64_t)mask_to_word(condition) << first; }
INLINE mask flags_at(const flags *f, int first)
{
    mask lane = 1 << (mask){LANE_NUMBER};
    return ((lane_integer)(*f >> first) & lane) == lane;
}

typedef mask segment;
INLINE segment segment_where(mask condition, lane_integer s) { return condition & s; }

#include "simd/bit_patterns.h"

/* A table has a row for each segment, as long as a power of two, whose groups of 16 bytes are loaded for each lane and
   transposed: about three instructions for an entry.  By AVX2, to choose it from all segments by permutations takes
   seven. */
#define TABLE_BY_SEGMENT
enum { GROUP = 16 / sizeof(scalar) };
/* By each form: the groups at[0] + k, at[GROUP] + k, ... as one vector, and GROUP of these by their entries. */
INLINE real groups_at(const scalar *const *at, int k);
INLINE void transpose(const real *group, real *entry);

INLINE void table_lookup(const scalar *table, int row, int entries, segment s, real *entry)
{
    enum { IN_WORD = 8 / sizeof(scalar) };
    /* They leave the vector by words, which is one instruction for two of float. */
    const segment offset = s * row;
    uint64_t word[LANES / IN_WORD];
    memcpy(word, &offset, sizeof word);
    const scalar *at[LANES];
#pragma GCC unroll 8
    for (int l = 0; l < LANES; l++)
        at[l] = table + (bits)(word[l / IN_WORD] >> (l % IN_WORD * REAL_BITS));
#pragma GCC unroll 16
    for (int k = 0; k < entries; k += GROUP) {
        real group[GROUP];
#pragma GCC unroll 4
        for (int l = 0; l < GROUP; l++)
            group[l] = groups_at(at + l, k);
        transpose(group, entry + k);
    }
}

#endif
