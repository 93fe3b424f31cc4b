/* Source: mod_commands.c, mod_sofia.c, mod_audio_stream.c, switch_loadable_module.c and
 * mod_event_socket.c; "-ERR no reply" is what the socket says for an empty output. */
#include "esl/reply.h"

/* Beginnings of answers that mean there is no such thing. */
static const char *const not_there[] = {
    "-ERR No such channel", "-ERR Cannot locate session!", "-ERR No such session",
    "-ERR Invalid uuid",    "-ERR invalid uuid",           "Invalid Profile!",
};

static enum va_err refusal(struct str line)
{
    static const char unknown[] = "Command not found!";
    enum { UNKNOWN = sizeof(unknown) - 1 };
    for (size_t i = 0; i < sizeof(not_there) / sizeof(not_there[0]); i++)
        if (str_starts(line, not_there[i]))
            return VA_ENOTFOUND;
    if (str_starts(line, "-USAGE"))
        return VA_EINVAL;
    if (!str_starts(line, "-ERR"))
        return VA_OK;
    bool tail = line.len > UNKNOWN && memcmp(line.p + line.len - UNKNOWN, unknown, UNKNOWN) == 0;
    return tail ? VA_ENOTSUP : VA_EREFUSED;
}

/* The connection brought an answer, whatever it says. */
static bool answered(enum va_err err)
{
    return err == VA_OK || err == VA_EREFUSED || err == VA_ENOTFOUND;
}

enum va_err esl_ok_read(enum va_err err, struct str text)
{
    if (!answered(err))
        return err;
    struct str rest = str_trim(text); /* uuid_setvar_multi adds its -USAGE to any refusal */
    enum va_err why = refusal(str_cut(&rest, '\n'));
    return why ? why : err;
}

enum va_err esl_bool_read(enum va_err err, struct str text, bool *ret_value)
{
    enum va_err why = esl_ok_read(err, text);
    struct str word = str_trim(text);
    if (why)
        return why;
    if (!str_eqz(word, "true") && !str_eqz(word, "false"))
        return VA_EPROTO;
    *ret_value = word.p[0] == 't';
    return VA_OK;
}

enum va_err esl_value_read(enum va_err err, struct str text, struct str *ret_value)
{
    if (!answered(err))
        return err;
    if (str_eqz(text, "-ERR No such channel!\n"))
        return VA_ENOTFOUND;
    if (str_eqz(text, "-USAGE: <uuid> <var>\n"))
        return VA_EINVAL;
    bool unset = str_eqz(text, "_undef_") || str_eqz(text, "-ERR no reply\n");
    *ret_value = unset ? (struct str){0} : str_make(text.p ? text.p : "", text.len);
    return VA_OK;
}
