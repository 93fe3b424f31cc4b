/** store/migrate.h: the database's schema and its versions. (Private to store/.) */
#ifndef VA_STORE_MIGRATE_H
#define VA_STORE_MIGRATE_H

#include "store/db.h"

/** The version this program writes: the number of migrations it knows. */
int migrate_latest(void);

/**
 * Bring a database to a version, all or nothing. A new one (version 0) that goes to the latest
 * also gets the default secretaries, in the same transaction: so they come once, whatever the user
 * does with them later.
 *
 * @param target  1 … migrate_latest(); less than the latest is for tests
 * @return VA_OK (also when it is at or beyond `target`), VA_ENOTSUP (newer than this program, or
 *         somebody else's database), VA_EIO …
 */
VA_CHECK enum va_err migrate_run(sqlite3 *db, int target, struct va_fault *fault);

#endif
