/* What the kernel objects export and the bridge to Python reads.  No Python here. */
#ifndef NUMACT_H
#define NUMACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One pass over n elements: operands first, result last, in the manner of a NumPy inner loop.  A loop may be called
   on any part of an array: what it writes depends on the element alone.  `non_temporal`: the array
   is large, so that results are better written by non-temporal stores. */
typedef void numact_loop(char *const *arrays, ptrdiff_t n, const ptrdiff_t *steps, bool non_temporal);

/* Results of so many bytes, whoever computes them, would leave the cache before they are read. */
enum { NUMACT_NON_TEMPORAL = 8 << 20 };

struct numact_kernel {
    numact_loop *loop;      /* NULL: the activation has no such function */
    int inputs, outputs;    /* number of arrays */
    bool overflows;         /* a finite input may overflow, and the user is told */
    ptrdiff_t width;        /* bytes of an element */
};

/* No kernel takes more arrays than these. */
enum { NUMACT_MAX_ARRAYS = 9 };

/* A float32 kernel over arrays of a type of 16 bits, which are converted block by block. */
typedef void numact_half_loop(const struct numact_kernel *f32, char *const *arrays, ptrdiff_t n, const ptrdiff_t *steps);

struct numact_half_kernel {
    const struct numact_kernel *f32;
    numact_half_loop *loop;
};

enum numact_kind {
    NUMACT_FORWARD,
    NUMACT_GRADIENT,
    NUMACT_GRADIENT_FROM_OUTPUT,
    NUMACT_GRADIENT_AT_ZERO,    /* the gradient with a last operand: the derivative to take at the kink x = 0 */
    NUMACT_KINDS
};

/* A row of the list in activations.h or gated.h. */
struct numact_activation {
    const char *name;
    const char *family;         /* "elementwise": of one array, or "gated": of two */
    const char *arguments;      /* "x", or "gate, up" */
    int parameter_count;
    const char *parameters;     /* "alpha=1.0, beta=2.0"; "alpha" without default must be given */
    const char *domain;         /* "alpha >= 0, low <= high", "y: alpha >= 0" (gradient from the output only), or "" */
    double ulp, ulp_gradient;   /* the bounds of the errors */
    const char *formula, *derivative, *range, *kinks, *aliases, *notes; /* the derivative by each argument: a line */
    struct numact_kernel kernels[NUMACT_KINDS];
};

/* The inner loop of a generalised ufunc over all rows; false if there is no memory, and then nothing is written.  It
   may be called on some of the rows: what it writes depends on the row alone. */
typedef bool numact_axis_loop(char *const *arrays, const ptrdiff_t *dimensions, const ptrdiff_t *steps);

/* A row of the list in axis.h. */
struct numact_axis_function {
    const char *name;
    const char *signature;      /* "(n),()->(n)" */
    const char *types;          /* "rr>r": r is the type of the rows, ? a boolean, p an index */
    double ulp;
    numact_axis_loop *loop;
    ptrdiff_t width;            /* bytes of r */
    const char *formula, *range;
};

/* A pass over n elements of contiguous memory with a bit for each, eight to a byte, the first the lowest: written by
   an activation, with its parameters as values; read by masked_grad, with the factors for set bits and for others.
   out may be in.  A part of an array that starts at a multiple of 64 elements, and at the byte of their bits, is an
   array. */
typedef void numact_masked_loop(const void *in, uint8_t *bits, void *out, ptrdiff_t n, const void *values, bool non_temporal);

/* The same over arrays of a type of 16 bits by a float32 kernel, whose values are float32. */
typedef void numact_masked_half_loop(numact_masked_loop *f32, const void *in, uint8_t *bits, void *out, ptrdiff_t n,
                                     const void *values);

/* An activation of the list MASKED in activations.h, or masked_grad. */
struct numact_masked_function {
    const char *name;           /* "relu_masked" */
    numact_masked_loop *loop;
};

/* How the elements of a normalised array are stored: as the kernels' own type, or in 16 bits. */
enum numact_storage { NUMACT_REAL, NUMACT_F16, NUMACT_BF16 };

/* An array of samples x channels x positions, and the strides in bytes. */
struct numact_slices {
    char *start;
    ptrdiff_t sample, channel, position;
};

/* A normalisation, as its tasks (norm.h) see it; what a task does not use is not set.  Vectors may be read up to 16
   elements beyond their end. */
struct numact_norm {
    enum numact_storage storage;
    ptrdiff_t width;            /* bytes of an element */
    ptrdiff_t samples, channels, positions;
    bool across;                /* channels are contiguous; else positions are */
    double eps;
    struct numact_slices x, dy, out;
    const double *weight, *bias;                        /* by position */
    const double *mean, *mean_lo, *scale, *shift;     /* by channel */
    const double *dy_mean, *slope;                      /* by channel */
    double *partial;            /* four or more rows of partial_length, see the tasks */
    ptrdiff_t partial_length, partial_count;
    double *total;              /* four rows of total_length */
    ptrdiff_t total_length;
    const struct numact_kernel *activation;             /* applied to `out`, if there is one */
    numact_half_loop *half_loop;
    char *parameters;           /* those of the activation, as they are stored */
};

/* A part of a normalisation: independent units of work, which may be done in any order. */
struct numact_norm_task {
    const char *name;
    ptrdiff_t (*units)(const struct numact_norm *call);
    void (*run)(const struct numact_norm *call, ptrdiff_t start, ptrdiff_t stop);
};

enum {
    NUMACT_MAX_DIMENSIONS = 64,
    NUMACT_SUMS = 16,           /* partial sums: element i of the last dimension is added to the sum i mod NUMACT_SUMS */
    NUMACT_WORD = 64,           /* units whose flags share a word */
    NUMACT_BLOCK = 1024,        /* elements of the last dimension that are observed at a time */
    NUMACT_CHUNK = 65536,       /* elements at most whose statistics are added to others' in order */
};

/* Statistics of some elements.  The mean, origin + deviation, and the sum of squared deviations from it are those of
   the finite ones. */
struct numact_statistics {
    int64_t finite, zeros, saturated, nan, infinite;
    double origin, deviation, squares;
};

enum numact_wanted { NUMACT_ALL, NUMACT_ZEROS, NUMACT_SATURATED, NUMACT_ALIVE };

/* An array whose statistics are taken, and which an activation may write at the same time, block by block.  Every
   dimension is one of units or one of samples. */
struct numact_observation {
    enum numact_wanted wanted;                      /* the statistics that are needed; the others are not computed */
    double low, high;                               /* saturated: y <= low or y >= high */
    int dimensions;
    ptrdiff_t shape[NUMACT_MAX_DIMENSIONS];
    ptrdiff_t unit_steps[NUMACT_MAX_DIMENSIONS];    /* words from a unit's flags to the next one's, 0 for samples */
    ptrdiff_t x_steps[NUMACT_MAX_DIMENSIONS], y_steps[NUMACT_MAX_DIMENSIONS];   /* in bytes */
    char *x, *y;                                    /* x: the activation's input, or NULL where y is there */
    const char *name;                               /* of the activation */
    const struct numact_kernel *activation;         /* of x; for a type of 16 bits, the float32 kernel */
    numact_half_loop *half_loop;                    /* for a type of 16 bits, what runs it */
    char *const *parameters;                        /* one value each */
    /* Whether a unit is not 0 for some sample.  Where the last dimension is one of units, a bit for each, and for every
       row of it words of its own; elsewhere a word for each, 0 or not.  Several threads set them. */
    uint64_t *alive;
};

/* Statistics of each of the chunks from `start` to `stop`, of `size` blocks in C order, NUMACT_CHUNK elements at
   most; a row of the last dimension has whole blocks, and what is left. */
typedef void numact_observe_loop(const struct numact_observation *observation, ptrdiff_t size, ptrdiff_t start,
                                 ptrdiff_t stop, struct numact_statistics *statistics);

/* A dispatch target: the same activations in the same order in every table, a NULL name at the end. */
struct numact_level {
    const char *name;
    bool supported;
    const struct numact_activation *f32, *f64;
    numact_half_loop *f16, *bf16;
    const struct numact_axis_function *axis_f32, *axis_f64;
    const struct numact_masked_function *masked_f32, *masked_f64;
    numact_masked_half_loop *masked_f16, *masked_bf16;
    const struct numact_norm_task *norm_f32, *norm_f64;
    numact_observe_loop *observe_f16, *observe_bf16, *observe_f32, *observe_f64;
};

/* The dispatch targets of this build, lowest first, a NULL name at the end. */
const struct numact_level *numact_levels(void);

/* A NumPy inner loop (PyUFuncGenericFunction); data points to a struct numact_kernel. */
void numact_ufunc_loop(char **arrays, const ptrdiff_t *dimensions, const ptrdiff_t *steps, void *data);

/* The same where data points to a struct numact_half_kernel. */
void numact_half_ufunc_loop(char **arrays, const ptrdiff_t *dimensions, const ptrdiff_t *steps, void *data);

/* The same for a generalised ufunc; data points to a struct numact_axis_function.  False if there is no memory; then
   some rows may not have been written. */
bool numact_axis_ufunc_loop(char **arrays, const ptrdiff_t *dimensions, const ptrdiff_t *steps, void *data);

/* A loop with a bit for each element, by way of `half_loop` unless that is NULL; out is in, or elsewhere.  An
   element has `width` bytes. */
void numact_run_masked(numact_masked_half_loop *half_loop, numact_masked_loop *loop, ptrdiff_t width, const void *in,
                       uint8_t *bits, void *out, ptrdiff_t n, const void *values);

/* The next 64 random bits. */
typedef uint64_t numact_next(void *state);

/* n random bits, set with the probability threshold / 2^32, threshold <= 2^32: a bit says whether a random number of 32
   digits is less than the threshold.  Word by word in the order of the generator; none where the outcome is certain. */
void numact_random_bits(uint8_t *bits, ptrdiff_t n, uint64_t threshold, numact_next *next, void *state);

/* Does all of a task. */
void numact_norm_run(const struct numact_norm_task *task, const struct numact_norm *call);

/* Adds the statistics of an array, computing it before where there is an activation.  Whether that has overflowed: 0
   or 1, or -1 if there is no memory, and nothing has been done. */
int numact_observe(numact_observe_loop *loop, const struct numact_observation *observation,
                   struct numact_statistics *statistics);

/* The compiler that built this. */
extern const char numact_compiler[];

#endif
