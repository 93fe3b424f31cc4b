/** ai/speech/pieces.h: an utterance cut at its pauses. Pure. */
#ifndef VA_AI_SPEECH_PIECES_H
#define VA_AI_SPEECH_PIECES_H

#include <stddef.h>
#include <stdint.h>

enum { PIECES_MAX = 8 };

/** [samples] */
struct piece {
    size_t from, count;
};

/**
 * The pieces of speech between pauses of 200 ms and more, each with a little silence around it.
 * Shorter than 150 ms is left out; more than PIECES_MAX: the first ones.
 *
 * @return how many
 */
size_t pieces_find(const int16_t *samples, size_t count, int rate_hz, struct piece out[PIECES_MAX]);

#endif
