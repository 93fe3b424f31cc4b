/**
 * model/secretary.h: one telephone secretary (agent) as data.
 *
 * Built once (by the store or a test), checked, then shared read-only between threads by
 * reference count; nobody changes one that others can see.
 */
#ifndef VA_MODEL_SECRETARY_H
#define VA_MODEL_SECRETARY_H

#include "base/err.h"
#include "base/rand.h"

#include <stdint.h>

/* Limits of what an administrator may enter. Beyond them validation names the field. */
enum {
    SECRETARY_NAME_MAX = 100,  /* bytes, names and numbers */
    SECRETARY_TEXT_MAX = 4000, /* bytes, anything spoken or given to a model */
    SECRETARY_DESTINATIONS_MAX = 200,
    SECRETARY_TOPICS_MAX = 100,
    SECRETARY_PHRASES_MAX = 20, /* aliases of one destination, phrases of one topic */
    SECRETARY_PROMPTS_MAX = 64,
    SECRETARY_FALLBACKS_MAX = 8,
};

/** A list of terminated strings, owned by the secretary. */
struct text_list {
    char **item;
    size_t count;
};

/** Somebody a caller can be handed to. */
struct destination {
    char *name;               /**< as spoken: "vendas" */
    struct text_list aliases; /**< other words for it: "comercial" */
    char *number;             /**< dialplan number, [0-9A-Za-z*#+._-] */
    char *context;            /**< dialplan context; "" is the call's own */
    char digit;               /**< DTMF digit that chooses it, 0 for none */
    bool is_default;          /**< where a caller goes who is not understood */
};

/** Something the secretary can answer by itself. */
struct topic {
    char *name;               /**< "horário" */
    struct text_list phrases; /**< words that ask for it */
    char *answer;             /**< what is said */
    char digit;               /**< DTMF digit, 0 for none */
};

/** A text of the attendant that this secretary says its own way. */
struct prompt_text {
    char *key; /**< a key of ai/attendant's prompt table: "not-understood", … */
    char *text;
};

struct secretary {
    char id[UUID_TEXT];
    char *tenant;    /**< domain; "default" on a single-tenant system */
    char *name;      /**< unique in its tenant */
    char *extension; /**< number that reaches it, "" for any */
    char *company;
    char *language; /**< "pt-BR", "en-US" */
    char *voice;    /**< of the provider; "" is its choice for the language */
    char *greeting;
    char *farewell;
    char *instructions; /**< for providers that take some */
    char *provider;     /**< "" is AI_PROVIDER */
    struct text_list fallbacks;

    struct destination *destinations;
    size_t destination_count;
    struct topic *topics;
    size_t topic_count;
    struct prompt_text *prompts;
    size_t prompt_count;

    int32_t silence_ms;      /**< caller silent for this long: ask again [ms] */
    int32_t silence_prompts; /**< after so many unanswered prompts: say goodbye */
    int32_t max_duration_s;  /**< longest call [s]; then a farewell */
    int32_t message_max_s;   /**< longest message [s] */
    int32_t end_silence_ms;  /**< silence that ends the caller's turn [ms] */
    int32_t protect_ms;      /**< start of the greeting that cannot be interrupted [ms] */
    int32_t record;          /**< 1 yes, 0 no, -1 as RECORD_CALLS says */
    bool barge_in;           /**< the caller may interrupt */
    bool enabled;

    int refs; /**< atomic; of secretary_ref */
};

/**
 * A secretary with every text "" and every number at its default (silence_ms 8000,
 * silence_prompts 2, max_duration_s 600, message_max_s 60, end_silence_ms 700, protect_ms 0,
 * record -1, barge_in and enabled true), one reference.
 */
VA_CHECK enum va_err secretary_new(struct secretary **ret_secretary);

/** One more reference. Any thread. Returns its argument. */
const struct secretary *secretary_ref(const struct secretary *s);
/** Give up a reference; the last one frees. NULL-safe. Any thread. */
void secretary_unref(const struct secretary **s);

/** Set a text field of a secretary under construction: frees the old one. @return VA_OK, VA_ENOMEM
 */
VA_CHECK enum va_err secretary_set(char **field, const char *text);
VA_CHECK enum va_err secretary_list_add(struct text_list *list, const char *text);
/** Room for one more element, zeroed with its texts "". @return VA_OK, VA_ELIMIT, VA_ENOMEM */
VA_CHECK enum va_err secretary_add_destination(struct secretary *s, struct destination **ret_d);
VA_CHECK enum va_err secretary_add_topic(struct secretary *s, struct topic **ret_t);
VA_CHECK enum va_err secretary_add_prompt(struct secretary *s, const char *key, const char *text);

/**
 * Check everything a wrong entry could break: names and numbers present and well formed, lengths,
 * ranges, digits used once, at most one default destination, language with a known shape.
 *
 * @param fault  Names the field, the value, and what is allowed
 */
VA_CHECK enum va_err secretary_check(const struct secretary *s, struct va_fault *fault);

/** Text of a prompt key as this secretary says it, or NULL. */
const char *secretary_prompt(const struct secretary *s, const char *key);
/** The default destination, or NULL. */
const struct destination *secretary_default_destination(const struct secretary *s);
/** By name or alias, ASCII case-insensitive. NULL when unknown. */
const struct destination *secretary_find_destination(const struct secretary *s, const char *name);

#endif
