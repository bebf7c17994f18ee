/* The words of `bits.py` and the normal values of `gaussian.py` in one pass each, for draws in host memory.

   Operation by operation this is what NumPy does there, so that every bit is the same: it must be compiled without
   contraction of products and sums (-ffp-contract=off). Without a C compiler Kerata does without. */

#include <math.h>
#include <stdint.h>
#include <string.h>

/* One version for each kind of processor, chosen when the library is loaded. */
#ifdef KERATA_CLONES
#define FOR_EACH_PROCESSOR __attribute__((target_clones("default", "avx2", "avx512f")))
#else
#define FOR_EACH_PROCESSOR
#endif

static const uint32_t GOLDEN = 0x9E3779B9u;
static const uint32_t FRACTION = 0x7FFFFFu;
static const uint32_t ROOT_HALF = 0x3F3504F3u; /* the bits of sqrt(1/2) in float32 */

static inline float as_float(uint32_t bits) {
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

static inline uint32_t as_bits(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits;
}

/* A right shift that fills with the sign. */
static inline uint32_t shifted(uint32_t v, int n) { return (uint32_t)((int32_t)v >> n); }

static inline uint32_t folded(uint32_t v, int n) { return v + shifted(v, n); }

/* Lanes of `n` blocks; `start` and `key` as in `bits.blocks`. */
FOR_EACH_PROCESSOR
void kerata_words(int64_t n, uint32_t start, uint32_t key1, uint32_t key2, uint32_t key3, uint32_t key4,
                  uint32_t *restrict xs, uint32_t *restrict ys, uint32_t *restrict zs, uint32_t *restrict ws) {
  for (int64_t i = 0; i < n; i++) {
    uint32_t x = (uint32_t)i * GOLDEN + start;
    x = (x ^ (x >> 16)) * 0x21F0AAADu + key1;
    x = (x ^ (x >> 15)) * 0xD35A2D97u;
    x = x ^ (x >> 15);
    uint32_t y = folded(x * 0xED5AD4BBu + key2, 15);
    uint32_t z = folded(x * 0xAC4C1B51u + key3, 17);
    uint32_t w = folded(x * 0x31848BABu + key4, 14);
    x += y * w;
    y += z * x;
    z += x * y;
    w += y * z;
    xs[i] = x;
    ys[i] = y;
    zs[i] = z;
    ws[i] = w;
  }
}

/* Turns each two words into two normal values, in their place; see `gaussian.pair`. */
FOR_EACH_PROCESSOR
void kerata_pairs(int64_t n, uint32_t *first, uint32_t *second) {
#pragma omp simd
  for (int64_t i = 0; i < n; i++) {
    uint32_t a = first[i], b = second[i];
    uint32_t u = as_bits((float)(int32_t)(a & 0x7FFFFFFFu) + 0.5f) - (ROOT_HALF + (31u << 23));
    float exponent = (float)((int32_t)u >> 23);
    float g = as_float((u & FRACTION) + ROOT_HALF) - 1.0f;
    float s = g / (g + 2.0f), s2 = s * s;
    float series = ((s2 * -0.825927457f + -1.33304448f) * s2 + -4.00000047f) * s;
    float radius = sqrtf(series + exponent * -1.3862943611198906f);
    float t = (float)(int32_t)b * 0x1p-31f, t2 = t * t;
    float cosine = ((t2 * -0.00031872784f + 0.0158496842f) * t2 + -0.30842417f) * t2 + 0.99999997f;
    float sine = (((t2 * -3.59504522e-05f + 0.00249000102f) * t2 + -0.0807454333f) * t2 + 0.78539816f) * t;
    uint32_t x = as_bits(cosine * radius) ^ (b << 31), y = as_bits(sine * radius);
    uint32_t swap = (x ^ y) & shifted(a, 31);
    first[i] = x ^ swap;
    second[i] = y ^ swap;
  }
}
