/**
 * base/list.h: intrusive doubly linked list. A link lives inside its owner; unlinking needs no
 * list.
 */
#ifndef VA_BASE_LIST_H
#define VA_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct link {
    struct link *prev, *next; /**< both NULL while not in a list */
};

struct list {
    struct link head;
};

#define container_of(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

/** Safe walk: the current element may be unlinked or freed inside the body. */
#define list_each(l, it, tmp)                                                                      \
    for (struct link *it = (l)->head.next, *tmp = it->next; it != &(l)->head;                      \
         it = tmp, tmp = it->next)

static inline void list_init(struct list *l)
{
    l->head.prev = l->head.next = &l->head;
}

static inline bool list_empty(const struct list *l)
{
    return l->head.next == &l->head;
}

static inline bool link_linked(const struct link *n)
{
    return n->next != NULL;
}

static inline void list_push(struct list *l, struct link *n)
{
    n->prev = l->head.prev;
    n->next = &l->head;
    l->head.prev->next = n;
    l->head.prev = n;
}

/** Idempotent. */
static inline void link_remove(struct link *n)
{
    if (!n->next)
        return;
    n->prev->next = n->next;
    n->next->prev = n->prev;
    n->prev = n->next = NULL;
}

/** First element, unlinked, or NULL. */
static inline struct link *list_pop(struct list *l)
{
    struct link *n = l->head.next;
    if (n == &l->head)
        return NULL;
    link_remove(n);
    return n;
}

#endif
