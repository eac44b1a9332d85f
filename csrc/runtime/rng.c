/* Random bits for dropout, from one of NumPy's bit generators. */
#include "numact.h"

/* Of 64 random numbers of 32 digits, those below the threshold.  Each word holds a digit of all, the highest first;
   words are drawn until every comparison is decided: about 7 in the mean, and no more than the threshold has digits,
   of which 1/2 has one.  What is undecided behind the last 1 of the threshold is not below it. */
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
