/**
 * store/secretary_admin.h: secretaries for the command line, blocking, on a database of their own
 * connection. The running daemon sees a change with the next call.
 */
#ifndef VA_STORE_SECRETARY_ADMIN_H
#define VA_STORE_SECRETARY_ADMIN_H

#include "base/buf.h"
#include "model/record.h"
#include "model/secretary.h"

struct store_admin;

/** As store_open_sqlite(), without threads. `fault` as there. */
VA_CHECK enum va_err store_admin_open(const char *data_dir, struct store_admin **ret_admin,
                                      struct va_fault *fault);
void store_admin_close(struct store_admin **admin);

/** Call `each` for every secretary of a tenant (NULL: of all), by tenant and name. Borrowed. */
VA_CHECK enum va_err store_admin_list(struct store_admin *admin, const char *tenant,
                                      void (*each)(void *arg, const struct secretary *s), void *arg,
                                      struct va_fault *fault);
/** By id, name or extension. @return VA_OK, VA_ENOTFOUND (fault names the nearest), VA_EIO */
VA_CHECK enum va_err store_admin_get(struct store_admin *admin, const char *tenant, const char *key,
                                     const struct secretary **ret_secretary,
                                     struct va_fault *fault);
/**
 * Insert, or replace the one with the same id, else the same tenant and name. One transaction.
 * @param ret_replaced  May be NULL
 */
VA_CHECK enum va_err store_admin_put(struct store_admin *admin, const struct secretary *s,
                                     bool *ret_replaced, struct va_fault *fault);

/**
 * Read one or more secretaries (YAML documents) from text. Strict: an unknown key is an error with
 * line number and the nearest key; every secretary passed secretary_check().
 *
 * @param name  File name for messages ("reception.yaml:12: …")
 * @param each  Called for each; owns its argument
 */
VA_CHECK enum va_err secretary_from_yaml(const char *name, struct str text,
                                         void (*each)(void *arg, const struct secretary *s),
                                         void *arg, struct va_fault *fault);
/** As YAML that secretary_from_yaml() reads back to an equal secretary. */
VA_CHECK enum va_err secretary_to_yaml(const struct secretary *s, struct buf *out);

/** The secretaries of a new installation: pt-BR (default) and en-US. Caller owns both. */
VA_CHECK enum va_err secretary_defaults(const struct secretary **ret_pt,
                                        const struct secretary **ret_en);

#endif
