/**
 * store/secretary_admin.h: secretaries for the command line, blocking, on a database connection of
 * their own. Works beside a running daemon, which sees a change with the next call.
 *
 * One thread at a time; never a loop's. Tenants and names are compared without regard to ASCII
 * case. Every `fault` may be NULL.
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
/** NULL-safe. */
void store_admin_close(struct store_admin **admin);

/**
 * Call `each` for every secretary of a tenant (NULL: of all), by tenant and name. Borrowed; keep
 * one with secretary_ref(). `each` may not call store_admin_*.
 */
VA_CHECK enum va_err store_admin_list(struct store_admin *admin, const char *tenant,
                                      void (*each)(void *arg, const struct secretary *s), void *arg,
                                      struct va_fault *fault);
/**
 * By id, name or extension, in this order; disabled ones too.
 *
 * @param tenant         NULL: any tenant, if only one has it (else VA_EINVAL, both are named)
 * @param ret_secretary  The receiver owns it (secretary_unref)
 * @return VA_OK, VA_ENOTFOUND (fault names the nearest), VA_EINVAL, VA_EAGAIN, VA_EIO
 */
VA_CHECK enum va_err store_admin_get(struct store_admin *admin, const char *tenant, const char *key,
                                     const struct secretary **ret_secretary,
                                     struct va_fault *fault);
/**
 * Insert each, or replace the one of its tenant with the same id, else with the same name (which
 * then keeps its id). One transaction: all or none.
 *
 * @param ret_replaced  One answer for each; may be NULL
 * @return VA_OK, VA_ECONFIG (secretary_check), VA_EEXIST (id, name or extension belongs to
 *         another), VA_EAGAIN, VA_EIO
 */
VA_CHECK enum va_err store_admin_put(struct store_admin *admin, const struct secretary *const s[],
                                     size_t count, bool ret_replaced[], struct va_fault *fault);

/** Found as by store_admin_get(), and removed. Its calls and messages stay. */
VA_CHECK enum va_err store_admin_remove(struct store_admin *admin, const char *tenant,
                                        const char *key, struct va_fault *fault);

/* ---- YAML ----------------------------------------------------------------------------------- */

enum {
    SECRETARY_YAML_MAX = 1 << 20,        /* bytes of a file */
    SECRETARY_YAML_DOCUMENTS_MAX = 1000, /* in a file */
};

/**
 * Read one or more secretaries (YAML documents) from text. Strict: an unknown key is an error with
 * line number and the nearest key; every secretary passed secretary_check(), no two are the same
 * (id, or tenant and name). Nothing is handed out before all of the text is right.
 *
 * @param name  File name for messages ("reception.yaml:12: …")
 * @param each  Called for each; owns its argument, and has the only reference: it may still alter
 * it
 * @return VA_OK, VA_ECONFIG (what is written), VA_ELIMIT (size), VA_ENOMEM
 */
VA_CHECK enum va_err secretary_from_yaml(const char *name, struct str text,
                                         void (*each)(void *arg, struct secretary *s), void *arg,
                                         struct va_fault *fault);
/** As one YAML document that secretary_from_yaml() reads back to an equal secretary. Appends.
 * @return VA_OK, VA_ENOMEM, VA_ELIMIT (buf), VA_EINVAL (a text is not UTF-8) */
VA_CHECK enum va_err secretary_to_yaml(const struct secretary *s, struct buf *out);

/** The secretaries of a new installation: pt-BR (default) and en-US. Caller owns both. */
VA_CHECK enum va_err secretary_defaults(const struct secretary **ret_pt,
                                        const struct secretary **ret_en);

#endif
