/**
 * ai/pipeline/unfinished.h: what a caller's words tell about the turn. No I/O.
 */
#ifndef VA_AI_PIPELINE_UNFINISHED_H
#define VA_AI_PIPELINE_UNFINISHED_H

#include "base/str.h"

/**
 * More is to come: the words end in the middle ("my number is", "eu queria falar com", a comma, an
 * ellipsis).
 *
 * @param language    "pt-BR", "en-US", …; others are judged by their marks alone
 * @param punctuates  The recogniser marks the end of sentences: without a mark it is none
 */
bool text_unfinished(const char *language, struct str text, bool punctuates);

/** Only sounds of listening: "aham", "uhum", "mm-hmm", "sei", "yeah": no wish to speak. */
bool text_backchannel(const char *language, struct str text);

#endif
