/*
 * The readers of esl/commands.h on any bytes. What they accept must hold together: as many rows and
 * registrations as counted, slices inside of the text, and no prefix of it taken for the whole.
 */
#include "esl/commands.h"
#include "esl/event.h"

static void inside(struct str text, struct str s)
{
    if (s.len && (s.p < text.p || s.p + s.len > text.p + text.len))
        __builtin_trap();
}

static void read_rows(struct str text)
{
    struct esl_rows rows;
    struct esl_event *row = esl_event_new();
    size_t n = 0;
    if (row && esl_rows_read(VA_OK, text, &rows) == VA_OK) {
        while (esl_rows_next(&rows, row) == VA_OK) {
            (void)esl_event_get(row, "uuid");
            n++;
        }
        if (n != rows.count)
            __builtin_trap();
        while (text.len && (unsigned char)text.p[text.len - 1] <= ' ')
            text.len--;
        if (esl_rows_read(VA_OK, str_make(text.p, text.len - 1), &rows) == VA_OK)
            __builtin_trap();
    }
    esl_event_free(&row);
}

static void read_registrations(struct str text)
{
    struct esl_registrations list;
    struct esl_registration reg;
    size_t n = 0;
    if (esl_registrations_read(VA_OK, text, &list) != VA_OK)
        return;
    for (; esl_registrations_next(&list, &reg); n++) {
        inside(text, reg.user), inside(text, reg.domain), inside(text, reg.contact);
        inside(text, reg.status), inside(text, reg.agent), inside(text, reg.ip);
    }
    if (n != list.count)
        __builtin_trap();
}

static void read_rest(struct str text)
{
    struct esl_status st;
    struct esl_originated o;
    struct str value;
    bool yes;
    struct esl_event *ev = esl_event_new();
    if (esl_status_read(VA_OK, text, &st) == VA_OK)
        inside(text, st.version);
    if (esl_originate_read(VA_OK, text, &o) == VA_OK)
        inside(text, o.uuid), inside(text, o.cause);
    if (esl_value_read(VA_OK, text, &value) == VA_OK && value.p)
        inside(text, value);
    if (esl_reloadxml_read(VA_OK, text, &value) == VA_OK)
        inside(text, value);
    (void)!esl_bool_read(VA_OK, text, &yes);
    if (ev)
        (void)!esl_dump_read(VA_OK, text, ev);
    esl_event_free(&ev);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = str_make((const char *)data, size);
    read_rows(text);
    read_registrations(text);
    read_rest(text);
    return 0;
}
