/* What avx2.h and sse2_neon.h share: vectors whose conditions are vectors, too.  They define `real` and LANE_NUMBER,
   the list 0, 1, ... of its lanes, before they include this. */
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

/* Defined by both: a load of the first n lanes, a select, a mask as the lowest bits of a word, and min and max that
   return x where it is a NaN. */
INLINE real load_part(const scalar *p, ptrdiff_t n);
INLINE real select_real(mask condition, real a, real b);
INLINE unsigned mask_to_word(mask condition);
INLINE real at_most_real(real x, real bound);
INLINE real at_least_real(real x, real bound);

INLINE real_bits bits_of_real(real x) { return (real_bits)x; }
INLINE real real_of_bits(real_bits b) { return (real)b; }

/* True in the first n lanes. */
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

/* Which of the LANES bytes are not 0. */
INLINE mask nonzero_bytes(const unsigned char *p)
{
    uint8_t __attribute__((vector_size(LANES))) bytes;
    memcpy(&bytes, p, sizeof bytes);
    return __builtin_convertvector(bytes, mask) != 0;
}

/* Whether a condition holds in every lane, to leave out what only other lanes need. */
INLINE bool all(mask condition) { return mask_to_word(condition) == (1u << LANES) - 1; }

/* The lanes where a condition has held at least once: seen |= lanes_from_mask(condition). */
typedef unsigned lanes;
INLINE lanes lanes_from_mask(mask condition) { return mask_to_word(condition); }

/* FLAGS conditions, written and read LANES at a time, and converted from and to a word whose lowest bit is the
   first. */
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

/* A row of the table has the coefficients of one segment, padded to a power of two.  Groups of 16 bytes are loaded for
   each lane and transposed: about three instructions for a coefficient; permutations of AVX2 over all segments take
   seven. */
#define TABLE_BY_SEGMENT
enum { GROUP = 16 / sizeof(scalar) };
/* Defined by both: the groups at[0] + k, at[GROUP] + k, ... as one vector; and GROUP such vectors transposed, so that a
   vector has one coefficient of all lanes. */
INLINE real groups_at(const scalar *const *at, int k);
INLINE void transpose(const real *group, real *entry);

INLINE void table_lookup(const scalar *table, int row, int entries, segment s, real *entry)
{
    enum { IN_WORD = 8 / sizeof(scalar) };
    /* The offsets are extracted as 64-bit words: one instruction for two of float. */
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
