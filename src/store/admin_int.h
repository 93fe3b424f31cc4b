/** store/admin_int.h: inside of struct store_admin. (Private to store/.) */
#ifndef VA_STORE_ADMIN_INT_H
#define VA_STORE_ADMIN_INT_H

#include "store/db.h"

struct store_admin {
    sqlite3 *db;
};

#endif
