/** store/secretary_row.h: a secretary as a row of the table `secretaries`. (Private to store/.) */
#ifndef VA_STORE_SECRETARY_ROW_H
#define VA_STORE_SECRETARY_ROW_H

#include "model/secretary.h"
#include "store/db.h"

/** Prepare "SELECT <all columns> FROM secretaries " + tail. */
VA_CHECK enum va_err secretary_row_select(sqlite3 *db, const char *tail, sqlite3_stmt **ret_stmt,
                                          struct va_fault *fault);

/** The row a statement of secretary_row_select() stands on, checked. The receiver owns it. */
VA_CHECK enum va_err secretary_row_read(sqlite3_stmt *stmt, const struct secretary **ret_secretary,
                                        struct va_fault *fault);

/**
 * Insert, or replace the one of its tenant with the same id, else with the same name (which then
 * keeps its id). Inside the caller's transaction.
 *
 * @return VA_OK, VA_ECONFIG (secretary_check), VA_EEXIST (id, name or extension belongs to another)
 */
VA_CHECK enum va_err secretary_row_put(sqlite3 *db, const struct secretary *s, bool *ret_replaced,
                                       struct va_fault *fault);

#endif
