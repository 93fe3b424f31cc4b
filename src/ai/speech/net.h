/**
 * ai/speech/net.h: the word network of a grammar, before pocketsphinx sees it.
 *
 *     start ─[greeting]─► greeted ─[lead-in]─► middle ─phrase─► end ─[polite]─► final
 *
 * Each part is a tree, so common beginnings are walked once. Labels carry language and part:
 * "pt-br+falar" may be spoken around a phrase, "pt-br=vendas" belongs to one.
 */
#ifndef VA_AI_SPEECH_NET_H
#define VA_AI_SPEECH_NET_H

#include "ai/speech/grammar.h"

enum { NET_LABEL_MAX = 112 };
enum net_part { NET_AROUND = '+', NET_PHRASE = '=' };

struct net_arc {
    int from, to;
    int word; /**< index into words; -1: nothing is spoken */
};

struct net {
    struct net_arc *arcs;
    size_t arc_count, arc_cap;
    char (*words)[NET_LABEL_MAX];
    size_t word_count, word_cap;
    int state_count;
    int final_state; /**< the start is 0 */
    size_t phrases;  /**< that can be pronounced */
    bool failed;     /**< out of memory */
};

/** "pt-br" and "vendas" → "pt-br=vendas". */
void net_label(const char *voice, enum net_part part, struct str word, char out[NET_LABEL_MAX]);

/** The word of a label, also of a variant: "pt-br=vendas(2)" → "vendas". Empty: not of that part.
 */
struct str net_label_word(const char *label, enum net_part part);

/**
 * Build the network.
 *
 * @param has  Says whether a label can be pronounced; a sequence with one that cannot is left out
 * @return VA_OK, VA_ENOTFOUND (no phrase is pronounceable), VA_ENOMEM
 */
VA_CHECK enum va_err net_build(struct net *net, const struct asr_grammar *g,
                               bool (*has)(void *arg, const char *label), void *arg);
void net_free(struct net *net);

#endif
