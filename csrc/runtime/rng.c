/* Bernoulli bits for dropout, from the words of one of NumPy's bit generators. */
#include "numact.h"

/* 64 Bernoulli bits, bit-sliced (Knuth and Yao, The complexity of nonuniform random number generation, 1976): bit i
   says whether a random fraction u_i of 32 binary digits is below threshold / 2^32.  Word k has the k-th digit of all
   u_i, the most significant first.  A comparison is decided at the first digit that differs from that of the threshold;
   words are drawn until all 64 are, about 7 on average.  After the last 1 of the threshold, undecided u_i are not below
   it. */
static uint64_t bernoulli_word(uint64_t undecided, uint64_t threshold, numact_next *next, void *state)
{
    uint64_t below = 0;
    for (uint64_t digits = threshold << 32; digits && undecided; digits <<= 1) {
        uint64_t word = next(state), digit = digits >> 63 ? ~UINT64_C(0) : 0;
        below |= undecided & digit & ~word;
        undecided &= ~(word ^ digit);
    }
    return below;
}

void numact_random_bits(uint8_t *bytes, ptrdiff_t n, uint64_t threshold, numact_next *next, void *state)
{
    for (ptrdiff_t i = 0; i < n; i += 64) {
        uint64_t all = n - i < 64 ? (UINT64_C(1) << (n - i)) - 1 : ~UINT64_C(0);
        uint64_t word = threshold >> 32 ? all : bernoulli_word(all, threshold, next, state);
        for (ptrdiff_t byte = i / 8; byte < i / 8 + 8 && byte < (n + 7) / 8; byte++, word >>= 8)
            bytes[byte] = (uint8_t)word;
    }
}
