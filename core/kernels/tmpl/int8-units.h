/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Operations that GNU vectors cannot express, or that compilers translate
 * badly: sums of products of 32-bit units lane by lane, limits, and the low
 * bytes of whole numbers. Private to int8.c. */

#include <immintrin.h>

typedef int Ints_4 __attribute__((vector_size(16)));
typedef int Ints_8 __attribute__((vector_size(32)));
typedef int Ints_16 __attribute__((vector_size(64)));
typedef float Floats_4 __attribute__((vector_size(16)));
typedef float Floats_8 __attribute__((vector_size(32)));
typedef float Floats_16 __attribute__((vector_size(64)));

#if AE_LANES >= 16

ALWAYS_INLINE Floats_16 limit_16(Floats_16 y, Floats_16 low, Floats_16 high)
{
    return _mm512_min_ps(_mm512_max_ps(y, low), high);
}

ALWAYS_INLINE void store_bytes_16(uint8_t *out, Ints_16 v)
{
    _mm_storeu_si128((__m128i *)out, _mm512_cvtepi32_epi8((__m512i)v));
}

ALWAYS_INLINE Ints_16 load_bytes_16(const uint8_t *in)
{
    return (Ints_16)_mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)in));
}

#endif
#if AE_LANES >= 8

ALWAYS_INLINE Floats_8 limit_8(Floats_8 y, Floats_8 low, Floats_8 high)
{
    return _mm256_min_ps(_mm256_max_ps(y, low), high);
}

ALWAYS_INLINE void store_bytes_8(uint8_t *out, Ints_8 v)
{
    const __m256i first = _mm256_set1_epi32(0x0c080400);
    const __m256i fours = _mm256_shuffle_epi8((__m256i)v, first);

    _mm_storel_epi64((__m128i *)out,
                     _mm_unpacklo_epi32(_mm256_castsi256_si128(fours),
                                        _mm256_extracti128_si256(fours, 1)));
}

ALWAYS_INLINE Ints_8 load_bytes_8(const uint8_t *in)
{
    return (Ints_8)_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)in));
}

#else

ALWAYS_INLINE Floats_4 limit_4(Floats_4 y, Floats_4 low, Floats_4 high)
{
    return _mm_min_ps(_mm_max_ps(y, low), high);
}

ALWAYS_INLINE void store_bytes_4(uint8_t *out, Ints_4 v)
{
    const __m128i words = _mm_packs_epi32((__m128i)(v & 255), (__m128i)v);
    const int bytes = _mm_cvtsi128_si32(_mm_packus_epi16(words, words));

    memcpy(out, &bytes, 4);
}

ALWAYS_INLINE Ints_4 load_bytes_4(const uint8_t *in)
{
    return (Ints_4){in[0], in[1], in[2], in[3]};
}

#endif

#if defined(__AVX512VNNI__)

/* Four unsigned bytes by four signed ones. */
#define GROUP 4

ALWAYS_INLINE Ints_16 dot_16(Ints_16 sum, Ints_16 in, Ints_16 w)
{
    return (Ints_16)_mm512_dpbusd_epi32((__m512i)sum, (__m512i)in, (__m512i)w);
}

ALWAYS_INLINE Ints_8 dot_8(Ints_8 sum, Ints_8 in, Ints_8 w)
{
    return (Ints_8)_mm256_dpbusd_epi32((__m256i)sum, (__m256i)in, (__m256i)w);
}

#elif AE_LANES >= 8

/* Two signed 16-bit numbers by two. */
#define GROUP 2

ALWAYS_INLINE Ints_8 dot_8(Ints_8 sum, Ints_8 in, Ints_8 w)
{
    return sum + (Ints_8)_mm256_madd_epi16((__m256i)in, (__m256i)w);
}

#if AE_LANES >= 16
ALWAYS_INLINE Ints_16 dot_16(Ints_16 sum, Ints_16 in, Ints_16 w)
{
    return sum + (Ints_16)_mm512_madd_epi16((__m512i)in, (__m512i)w);
}
#endif

#else

/* Four unsigned bytes by four signed ones, even and odd bytes as 16 bits. */
#define GROUP 4

typedef short Shorts_8 __attribute__((vector_size(16)));

ALWAYS_INLINE Ints_4 dot_4(Ints_4 sum, Ints_4 in, Ints_4 w)
{
    const Ints_4 even = in & 0x00ff00ff, odd = (in >> 8) & 0x00ff00ff;
    const Shorts_8 w_even = ((Shorts_8)w << 8) >> 8, w_odd = (Shorts_8)w >> 8;

    return sum + (Ints_4)_mm_madd_epi16((__m128i)even, (__m128i)w_even) +
           (Ints_4)_mm_madd_epi16((__m128i)odd, (__m128i)w_odd);
}

#endif
