/**
 * base/htab.h: intrusive hash table: who is found by a text (a uuid, a name). A link lives inside
 * its owner; the table knows hashes only, so the finder compares its own key:
 *
 *     for (struct hlink *h = htab_first(t, hash); h; h = htab_next(h))
 *         if (same(container_of(h, struct thing, hash_link)))
 *
 * Empty tables hold no memory. One thread at a time.
 */
#ifndef VA_BASE_HTAB_H
#define VA_BASE_HTAB_H

#include "base/str.h"

struct hlink {
    struct hlink *next;
    uint32_t hash;
};

/** Zero-initialise. */
struct htab {
    struct hlink **slot;
    size_t slots; /**< power of two, or 0 */
    size_t count;
};

/** FNV-1a. Not for keys an attacker chooses in bulk. */
uint32_t htab_hash(struct str key);
/** @return VA_OK, VA_ENOMEM (only the first ever needs memory; later a full table gets slower) */
VA_CHECK enum va_err htab_add(struct htab *t, struct hlink *h, uint32_t hash);
/** `h` must be in the table. The memory of the table goes with its last link. */
void htab_remove(struct htab *t, struct hlink *h);
/** Links with this hash, one after the other. NULL: no more. */
struct hlink *htab_first(const struct htab *t, uint32_t hash);
struct hlink *htab_next(const struct hlink *h);
/** Any one of them, or NULL. */
struct hlink *htab_any(const struct htab *t);
/**
 * Walk all: start with *at = 0; NULL at the end. Between calls nothing may be added or removed, but
 * for the one just returned.
 */
struct hlink *htab_walk(const struct htab *t, size_t *at, struct hlink **next);

#endif
