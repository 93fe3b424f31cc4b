/**
 * esl/rows.h: tables of FreeSWITCH (`show channels as json`), read row by row without copying.
 *
 *     struct esl_rows rows;
 *     if (esl_rows_read(r->err, r->text, &rows) == VA_OK)
 *         while (esl_rows_next(&rows, row) == VA_OK)
 *             use(esl_event_get(row, "uuid"), esl_event_get(row, "state"));
 */
#ifndef VA_ESL_ROWS_H
#define VA_ESL_ROWS_H

#include "esl/event.h"
#include "esl/switch.h"

/** All channels: uuid, direction, created_epoch, name, state, cid_name, cid_num, ip_addr, dest,
 *  application, application_data, dialplan, context, read_codec, …, callstate, call_uuid, … */
VA_CHECK enum va_err esl_show_channels(struct esl_switch *sw, const struct esl_then *then);
/** All calls, bridged or not: as channels, the other leg with `b_` in front ("b_uuid"). */
VA_CHECK enum va_err esl_show_calls(struct esl_switch *sw, const struct esl_then *then);
/** Any table of FreeSWITCH's `show`: a word ("bridged_calls", "registrations", "modules"). */
VA_CHECK enum va_err esl_show(struct esl_switch *sw, const char *what, const struct esl_then *then);

/** A cursor over the text of a result. */
struct esl_rows {
    struct str rest; /**< rows to come; private */
    size_t count;    /**< rows in all */
};

/**
 * Check a whole table, so that what was cut off is never taken for all of it, and put the cursor
 * before its first row. No rows at all (FreeSWITCH leaves "rows" out then) is VA_OK and count 0.
 *
 * @param ret_rows  Borrows the text
 * @return VA_OK, VA_EREFUSED (-ERR, e.g. without core database), VA_EPROTO (not such a table, or
 *         cut off), or err
 */
VA_CHECK enum va_err esl_rows_read(enum va_err err, struct str text, struct esl_rows *ret_rows);

/**
 * The next row.
 *
 * @param row  Reusable event; values by esl_event_get() with the column's name, valid as
 *             esl_event_parse() has it
 * @return VA_OK, VA_ENOTFOUND (there are no more), VA_ENOMEM
 */
VA_CHECK enum va_err esl_rows_next(struct esl_rows *rows, struct esl_event *row);

#endif
