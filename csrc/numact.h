/* The interface between the kernels (csrc/loops), the runtime (csrc/runtime) and the bridge to Python
   (src/numact/_kernels/core.pyx), which declares the same structs.  No Python here. */
#ifndef NUMACT_H
#define NUMACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A loop over n elements, with the arguments of a NumPy inner loop: inputs first, then outputs, strides in bytes.  It
   may be called on any part of an array: each result depends on its own element alone.  `non_temporal`: by
   non-temporal stores, where it can. */
typedef void numact_loop(char *const *arrays, ptrdiff_t n, const ptrdiff_t *strides, bool non_temporal);

struct numact_kernel {
    numact_loop *loop;      /* NULL: the activation has no such function */
    int inputs, outputs;    /* number of arrays */
    bool overflows;         /* a finite input may overflow, which NumPy then warns of */
    ptrdiff_t width;        /* bytes of an element */
    int arrays;             /* inputs that have the type of the result; those behind them are parameters */
};

/* The most arrays of a kernel. */
enum { NUMACT_MAX_ARRAYS = 9 };

/* A float32 kernel over arrays of a type of 16 bits, which are converted block by block; parameters are float32. */
typedef void numact_half_loop(const struct numact_kernel *f32, char *const *arrays, ptrdiff_t n,
                              const ptrdiff_t *strides);

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
    double ulp, ulp_gradient;   /* bounds of the error */
    const char *formula, *derivative, *range, *kinks, *aliases, *notes; /* derivative: a line for each argument */
    struct numact_kernel kernels[NUMACT_KINDS];
};

/* The inner loop of a generalised ufunc over rows.  It may be called on some of the rows: each result depends on its
   own row alone.  False if memory could not be allocated; then nothing is written. */
typedef bool numact_axis_loop(char *const *arrays, const ptrdiff_t *dimensions, const ptrdiff_t *strides);

/* A function along an axis: an entry of the table in loops/rows.h. */
struct numact_axis_function {
    const char *name;
    const char *signature;      /* "(n),()->(n)" */
    const char *types;          /* "rr>r": r is the type of the rows, ? a boolean, p an index, i an int32 */
    double ulp;
    numact_axis_loop *loop;
    ptrdiff_t width;            /* bytes of r */
    const char *parameters, *domain;    /* of the public function: "temperature=1.0", "temperature > 0"; or NULL */
    const char *formula, *range;
};

/* A loop over n contiguous elements with a bit for each, eight to a byte, the lowest first.  An activation writes the
   bits, and `values` are its parameters; masked_grad reads them, and `values` are the factors for set and for clear
   bits. out may be in.  It may be called on a part of an array that starts at a multiple of 64 elements. */
typedef void numact_masked_loop(const void *in, uint8_t *bits, void *out, ptrdiff_t n, const void *values,
                                bool non_temporal);

/* The same for arrays of a type of 16 bits, computed by the float32 loop; the values are float32. */
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

/* The arguments of a normalisation task (loops/norm/tasks.h); a task sets no field that it does not use.  Vectors may
   be read up to 16 elements beyond their end. */
struct numact_norm {
    enum numact_storage storage;
    ptrdiff_t width;            /* bytes of an element */
    ptrdiff_t samples, channels, positions;
    bool across;                /* channels are contiguous; else positions are */
    double eps;
    struct numact_slices x, dy, out;
    const double *weight, *bias;                        /* by position */
    const double *mean, *mean_lo, *scale, *shift;       /* by channel */
    const double *dy_mean, *slope;                      /* by channel */
    double *partial;            /* four or more rows of partial_length, see the tasks */
    ptrdiff_t partial_length, partial_count;
    double *total;              /* four rows of total_length */
    ptrdiff_t total_length;
    const struct numact_kernel *activation;             /* applied to `out`, if there is one */
    numact_half_loop *half_loop;
    char *parameters;           /* those of the activation; float32 beside 16-bit arrays */
};

/* A step of a normalisation: independent units of work, in any order. */
struct numact_norm_task {
    const char *name;
    ptrdiff_t (*units)(const struct numact_norm *call);
    void (*run)(const struct numact_norm *call, ptrdiff_t start, ptrdiff_t stop);
};

enum {
    NUMACT_MAX_DIMENSIONS = 64,
    NUMACT_SUMS = 16,           /* partial sums: element i of the last dimension goes to sum i mod NUMACT_SUMS */
    NUMACT_WORD = 64,           /* units whose flags share a word */
    NUMACT_BLOCK = 1024,        /* elements of the last dimension that are observed at a time */
    NUMACT_CHUNK = 65536,       /* the most elements of a chunk; the statistics of chunks are added in order */
};

/* Statistics of some elements: counts; of the finite ones, the mean as origin + deviation, and the sum of squared
   deviations from it. */
struct numact_statistics {
    int64_t finite, zeros, saturated, nan, infinite;
    double origin, deviation, squares;
};

enum numact_wanted { NUMACT_ALL, NUMACT_ZEROS, NUMACT_SATURATED, NUMACT_ALIVE };

/* An array whose statistics are computed, block by block, after an activation has written the block if there is one.
   Every dimension is one of units or one of samples. */
struct numact_observation {
    enum numact_wanted wanted;                      /* the statistics to compute */
    double low, high;                               /* saturated: y <= low or y >= high */
    int dimensions;
    ptrdiff_t shape[NUMACT_MAX_DIMENSIONS];
    ptrdiff_t unit_strides[NUMACT_MAX_DIMENSIONS];  /* words from a unit's flags to the next one's, 0 for samples */
    ptrdiff_t x_strides[NUMACT_MAX_DIMENSIONS], y_strides[NUMACT_MAX_DIMENSIONS]; /* in bytes */
    bool non_temporal;                              /* y is large, and is stored past the caches */
    char *x, *y;                                    /* x: the activation's input; NULL without activation */
    const char *name;                               /* of the activation */
    const struct numact_kernel *activation;         /* of x; for a type of 16 bits, the float32 kernel */
    numact_half_loop *half_loop;                    /* for a type of 16 bits, the loop that runs it */
    char *const *parameters;                        /* one value each */
    /* Flags of the units that are not 0 for some sample; several threads set them.  Where the last dimension is one of
       units, a bit for each, every row beginning at a new word; otherwise a word for each, 0 or not. */
    uint64_t *alive;
};

/* Computes the statistics of the chunks from `start` to `stop`.  A chunk is `size` blocks in C order, at most
   NUMACT_CHUNK elements; the last block of each row of the last dimension may be shorter. */
typedef void numact_observe_loop(const struct numact_observation *observation, ptrdiff_t size, ptrdiff_t start,
                                 ptrdiff_t stop, struct numact_statistics *statistics);

/* The most arrays that are added to the inputs of a kernel. */
enum { NUMACT_MAX_TERMS = 4, NUMACT_MAX_OPERANDS = NUMACT_MAX_ARRAYS + NUMACT_MAX_TERMS };

/* out[i] = a[i] + b[i] for n contiguous elements, rounded to their type; b may be a single value, and out may be a. */
typedef void numact_add(void *out, const void *a, const void *b, ptrdiff_t n, bool single);

/* The loops that a bias needs besides those of the activation (loops/bias.h), for arrays of one type. */
struct numact_bias_loops {
    numact_add *add;
    void (*accumulate)(double *sums, const void *x, ptrdiff_t n);   /* sums[i] += x[i] */
    double (*total)(const void *x, ptrdiff_t n);                    /* in one order, whatever the dispatch target */
};

/* The gradient of activation(x + bias + residual) by x and by bias, for arrays of outer x channels x inner elements;
   inner elements are contiguous, and channels are where inner is 1.  A gate takes two of them.  Outputs are inputs, or
   overlap nothing. */
enum { NUMACT_MAX_GATES = 2 };
struct numact_bias_gradient {
    const struct numact_kernel *kernel;         /* of dy and the inputs */
    numact_half_loop *half_loop;
    const struct numact_bias_loops *loops;
    ptrdiff_t width, outer, channels, inner;
    struct numact_slices arrays[NUMACT_MAX_ARRAYS];         /* as the kernel takes them; of parameters the start */
    const char *bias[NUMACT_MAX_GATES];                     /* by channel, for each input behind dy */
    struct numact_slices residual[NUMACT_MAX_GATES];        /* without one, start is NULL */
    double *sums[NUMACT_MAX_GATES];                         /* by channel; the gradient by the bias is added */
};

/* False if memory could not be allocated; then nothing is written. */
bool numact_bias_gradient_run(const struct numact_bias_gradient *call);

/* An elementwise call on arrays of any layout: the inputs and outputs of the kernel, then the terms, arrays that are
   added to inputs before the kernel computes.  Strides in bytes; 0 where an operand is broadcast.  Arrays of at most
   one dtype, aligned; parameters are single values.  An output is an input, or overlaps nothing. */
struct numact_strided {
    const struct numact_kernel *kernel;
    numact_half_loop *half_loop;        /* NULL: the kernel's own type */
    numact_add *add;
    int terms;
    int term_of[NUMACT_MAX_TERMS];      /* the input to which a term is added */
    int dimensions;
    ptrdiff_t shape[NUMACT_MAX_DIMENSIONS];
    char *arrays[NUMACT_MAX_OPERANDS];
    ptrdiff_t strides[NUMACT_MAX_OPERANDS][NUMACT_MAX_DIMENSIONS];
};

/* Sorts the dimensions, the outermost first, as NumPy does for order="K"; order[d] is where dimension d was.  `count`
   operands have strides. */
void numact_strided_sort(struct numact_strided *call, int count, int *order);

/* Whether each output is an input or overlaps nothing, and no element of it another one. */
bool numact_strided_independent(const struct numact_strided *call);

/* Computes a call whose dimensions are sorted.  False if this is not the way to compute it, such as for dimensions of
   few elements each; then nothing is written. */
bool numact_strided_run(struct numact_strided *call);

/* Conversions of a type of 16 bits, rounded to nearest, ties to even, without flags or warnings. */
struct numact_conversions {
    void (*widen)(const void *from, float *to, ptrdiff_t n);
    void (*narrow)(const float *from, void *to, ptrdiff_t n);
};

/* Converts n contiguous elements, in threads: to float, or from it. */
void numact_widen(const struct numact_conversions *conversions, const void *from, float *to, ptrdiff_t n);
void numact_narrow(const struct numact_conversions *conversions, const float *from, void *to, ptrdiff_t n);

/* A dispatch target.  Every table has the same rows in the same order; a NULL name ends it. */
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
    const struct numact_bias_loops *bias_f16, *bias_bf16, *bias_f32, *bias_f64;
    const struct numact_conversions *conversions_f16, *conversions_bf16;
};

/* The dispatch targets of this build, lowest first; a NULL name ends the list. */
const struct numact_level *numact_levels(void);

/* A NumPy inner loop (PyUFuncGenericFunction); data points to a struct numact_kernel. */
void numact_ufunc_loop(char **arrays, const ptrdiff_t *dimensions, const ptrdiff_t *strides, void *data);

/* The same where data points to a struct numact_half_kernel. */
void numact_half_ufunc_loop(char **arrays, const ptrdiff_t *dimensions, const ptrdiff_t *strides, void *data);

/* The same for a generalised ufunc; data points to a struct numact_axis_function.  False if memory could not be
   allocated; then some rows may not have been written. */
bool numact_axis_ufunc_loop(char **arrays, const ptrdiff_t *dimensions, const ptrdiff_t *strides, void *data);

/* The same for blocks of rows, `block_strides` apart in the arrays, of which the last one is the result: it overlaps no
   operand, or lies exactly on it, and no two of its rows overlap. */
bool numact_axis_run(const struct numact_axis_function *function, char *const *arrays, ptrdiff_t blocks,
                     const ptrdiff_t *block_strides, const ptrdiff_t *dimensions, const ptrdiff_t *strides);

/* Runs a loop with a bit for each element, through `half_loop` unless that is NULL.  An element has `width` bytes; out
   is in, or does not overlap it. */
void numact_run_masked(numact_masked_half_loop *half_loop, numact_masked_loop *loop, ptrdiff_t width, const void *in,
                       uint8_t *bits, void *out, ptrdiff_t n, const void *values);

/* The next 64 random bits of a generator: next_uint64 of NumPy's bitgen_t. */
typedef uint64_t numact_next(void *state);

/* n Bernoulli bits with the probability threshold / 2^32, threshold <= 2^32 (rng.c).  Words are drawn in the order of
   the generator, and none where the outcome is certain. */
void numact_random_bits(uint8_t *bits, ptrdiff_t n, uint64_t threshold, numact_next *next, void *state);

/* Runs all units of a task. */
void numact_norm_run(const struct numact_norm_task *task, const struct numact_norm *call);

/* Adds the statistics of an array, which the activation writes first if there is one.  Returns whether the activation
   overflowed, 0 or 1; -1 if memory could not be allocated, and then nothing is written. */
int numact_observe(numact_observe_loop *loop, const struct numact_observation *observation,
                   struct numact_statistics *statistics);

/* Name and version of the compiler that built this. */
extern const char numact_compiler[];

#endif
