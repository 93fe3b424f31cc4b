/**
 * esl/marks.h: find the next of two byte values fast where they stand close together. 64 bytes are
 * looked at in one go and remembered as bits, where memchr would be called for every short field.
 * Inside of esl/ only.
 */
#ifndef VA_ESL_MARKS_H
#define VA_ESL_MARKS_H

#include <stddef.h>
#include <stdint.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

/* Bit i tells that p[i] is a or b, for up to 64 of n bytes. */
static inline uint64_t esl_marks_bits(const char *p, size_t n, char a, char b)
{
    uint64_t bits = 0;
#ifdef __SSE2__
    if (n >= 64) {
        const __m128i va = _mm_set1_epi8(a), vb = _mm_set1_epi8(b);
        for (unsigned i = 0; i < 4; i++) {
            __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(p + 16 * i));
            __m128i hit = _mm_or_si128(_mm_cmpeq_epi8(v, va), _mm_cmpeq_epi8(v, vb));
            bits |= (uint64_t)(unsigned)_mm_movemask_epi8(hit) << (16 * i);
        }
        return bits;
    }
#endif
    for (size_t i = 0; i < n && i < 64; i++)
        bits |= (uint64_t)(p[i] == a || p[i] == b) << i;
    return bits;
}

/* Bit i tells that p[i] is a, and in *ret_b that it is b, for up to 64 of n bytes. b is the rare
 * one: it is told apart only in blocks that have it. */
static inline uint64_t esl_marks_split(const char *p, size_t n, char a, char b, uint64_t *ret_b)
{
    uint64_t bits = 0;
    *ret_b = 0;
#ifdef __SSE2__
    if (n >= 64) {
        const __m128i va = _mm_set1_epi8(a), vb = _mm_set1_epi8(b);
        __m128i rare = _mm_setzero_si128();
        for (unsigned i = 0; i < 4; i++) {
            __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(p + 16 * i));
            rare = _mm_or_si128(rare, _mm_cmpeq_epi8(v, vb));
            bits |= (uint64_t)(unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(v, va)) << (16 * i);
        }
        if (_mm_movemask_epi8(rare))
            *ret_b = esl_marks_bits(p, n, b, b);
        return bits;
    }
#endif
    *ret_b = esl_marks_bits(p, n, b, b);
    for (size_t i = 0; i < n && i < 64; i++)
        bits |= (uint64_t)(p[i] == a) << i;
    return bits;
}

/* A cursor over them. */
struct esl_marks {
    const char *p;
    size_t len;
    size_t block; /* offset of the 64 bytes that `bits` tells about */
    uint64_t bits;
    char a, b;
};

static inline void esl_marks_load(struct esl_marks *m)
{
    m->bits = esl_marks_bits(m->p + m->block, m->len - m->block, m->a, m->b);
}

static inline struct esl_marks esl_marks_over(const char *p, size_t len, char a, char b)
{
    struct esl_marks m = {.p = p, .len = len, .a = a, .b = b};
    esl_marks_load(&m);
    return m;
}

/* Offset of the next a or b at or behind `at`; len when there is none. `at` never goes back to an
 * earlier block. */
static inline size_t esl_marks_next(struct esl_marks *m, size_t at)
{
    if (at >= m->len)
        return m->len;
    if (at - m->block >= 64) {
        m->block = at & ~(size_t)63;
        esl_marks_load(m);
    }
    uint64_t bits = m->bits & (UINT64_MAX << (at & 63));
    while (!bits) {
        m->block += 64;
        if (m->block >= m->len) {
            m->block -= 64;
            return m->len;
        }
        esl_marks_load(m);
        bits = m->bits;
    }
    return m->block + (size_t)__builtin_ctzll(bits);
}

#endif
