/** tests/unit/unit.h: what every unit test includes: cmocka in the order it wants, libuv codes. */
#ifndef VA_UNIT_H
#define VA_UNIT_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <uv.h>

#endif
