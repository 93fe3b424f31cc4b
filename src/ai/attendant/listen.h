/**
 * ai/attendant/listen.h: what the attendant listens for: the secretary's destinations and topics,
 * yes, no, message, repeat, help, goodbye.
 */
#ifndef VA_AI_ATTENDANT_LISTEN_H
#define VA_AI_ATTENDANT_LISTEN_H

#include "ai/speech/asr.h"
#include "model/secretary.h"

/** Tags of a grammar: a small number, or a base plus an index. */
enum listen_tag {
    LISTEN_YES,
    LISTEN_NO,
    LISTEN_MESSAGE,
    LISTEN_REPEAT,
    LISTEN_HELP,
    LISTEN_GOODBYE,
    LISTEN_OPERATOR,           /**< a human, no matter who */
    LISTEN_DESTINATION = 1000, /**< + index */
    LISTEN_TOPIC = 2000        /**< + index */
};

/**
 * The grammar of a secretary. Secretaries that listen for the same share one, whatever object they
 * are, so a decoder compiles it once. One reference for the caller. Any thread.
 */
VA_CHECK enum va_err listen_grammar(const struct secretary *s, struct asr_grammar **ret_grammar);

/**
 * What a written sentence asks for: the longest phrase of a secretary that stands in it as whole
 * words, yes, no, repeat and help excepted. Case and punctuation do not matter.
 *
 * @param ret_tag   as of a grammar
 * @param ret_sure  The phrase is at least half of the sentence
 * @return VA_OK, VA_ENOTFOUND, VA_ELIMIT (text over SECRETARY_TEXT_MAX), VA_ENOMEM
 */
VA_CHECK enum va_err listen_read(const struct secretary *s, const char *text, int *ret_tag,
                                 bool *ret_sure);

#endif
