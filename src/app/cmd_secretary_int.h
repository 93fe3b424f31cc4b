/** app/cmd_secretary_int.h: what the files of the command share. */
#ifndef VA_APP_CMD_SECRETARY_INT_H
#define VA_APP_CMD_SECRETARY_INT_H

#include "model/secretary.h"

enum { CMD_OK = 0, CMD_NOTHING = 1, CMD_FAULT = 2 };

/** Secretaries kept while they are printed or put. */
struct secretary_list {
    const struct secretary **s; /**< owned references */
    size_t count;
    bool failed; /**< out of memory */
};

/** Takes the reference over. */
void secretary_list_take(struct secretary_list *list, const struct secretary *s);
void secretary_list_free(struct secretary_list *list);

/** Table of all, columns as wide as needed. To stdout. */
void secretary_print_table(const struct secretary_list *list);
/** Everything about one, for a person. To stdout. */
void secretary_print(const struct secretary *s);

#endif
