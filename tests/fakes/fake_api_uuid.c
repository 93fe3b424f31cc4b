/* API commands about channels: uuid_… and `show`. */
#include "fake_api.h"

static struct origin dtmf_origin = {
    "DTMF", "switch_channel.c", "switch_channel_dequeue_dtmf", 677, 0, {{0}}};
static struct origin hold_origin = {"CHANNEL_HOLD", "switch_ivr.c", "switch_ivr_hold", 1558, 0,
                                    {{0}}};
static struct origin unhold_origin = {
    "CHANNEL_UNHOLD", "switch_ivr.c", "switch_ivr_unhold", 1608, 0, {{0}}};

/* Channel of the first word; the complaint is written when there is none. */
static struct channel *take_channel(char **arg, struct bytes *out)
{
    char *uuid = *arg, *space = strchr(uuid, ' ');
    if (space)
        *space++ = 0;
    *arg = space ? space : uuid + strlen(uuid);
    struct channel *ch = channel_find(uuid);
    if (!ch)
        bytes_addz(out, "-ERR No such channel!\n");
    return ch;
}

void api_uuid_exists(char *arg, struct bytes *out)
{
    bytes_addz(out, channel_find(arg) ? "true" : "false");
}

void api_uuid_getvar(char *arg, struct bytes *out)
{
    struct channel *ch = take_channel(&arg, out);
    if (!ch)
        return;
    const char *value = channel_get(ch, arg);
    if (!*arg)
        bytes_addz(out, "-ERR No variable name specified!\n");
    else
        bytes_addz(out, value ? value : "_undef_");
}

void api_uuid_setvar(char *arg, struct bytes *out)
{
    struct channel *ch = take_channel(&arg, out);
    char *part[2] = {NULL, NULL};
    if (!ch)
        return;
    if (!split_args(arg, ' ', part, 2)) {
        bytes_addz(out, "-ERR No variable specified\n");
        return;
    }
    channel_set(ch, part[0], part[1] ? part[1] : "");
    bytes_addz(out, "+OK\n");
}

void api_uuid_setvar_multi(char *arg, struct bytes *out)
{
    struct channel *ch = take_channel(&arg, out);
    char *pair[ARGS_MAX];
    if (!ch)
        return;
    size_t n = split_args(arg, ';', pair, ARGS_MAX);
    for (size_t i = 0; i < n; i++) {
        char *value = strchr(pair[i], '=');
        if (value)
            *value++ = 0;
        channel_set(ch, pair[i], value ? value : "");
    }
    bytes_addz(out, "+OK\n");
}

void api_uuid_kill(char *arg, struct bytes *out)
{
    struct channel *ch = take_channel(&arg, out);
    if (!ch)
        return;
    bytes_addz(out, "+OK\n");
    channel_hangup(ch, *arg ? arg : "NORMAL_CLEARING");
}

void api_uuid_dump(char *arg, struct bytes *out)
{
    struct channel *ch = take_channel(&arg, out);
    if (ch)
        channel_dump(ch, out);
}

void api_uuid_broadcast(char *arg, struct bytes *out)
{
    struct channel *ch = take_channel(&arg, out);
    if (!ch)
        return;
    char *leg = strrchr(arg, ' ');
    if (leg)
        *leg = 0;
    channel_execute(ch, "playback", arg, "");
    bytes_addz(out, "+OK Message sent\n");
}

void api_uuid_break(char *arg, struct bytes *out)
{
    if (take_channel(&arg, out))
        bytes_addz(out, "+OK\n");
}

void api_uuid_send_dtmf(char *arg, struct bytes *out)
{
    struct channel *ch = take_channel(&arg, out);
    if (ch)
        bytes_addf(out, "+OK %s sent DTMF %s.\n", ch->uuid, arg);
}

void api_uuid_recv_dtmf(char *arg, struct bytes *out)
{
    struct channel *ch = take_channel(&arg, out);
    if (!ch)
        return;
    bytes_addf(out, "+OK %s received DTMF %s.\n", ch->uuid, arg);
    for (const char *p = arg; *p && *p != '@'; p++) {
        struct event *ev = event_start(&dtmf_origin);
        channel_headers(ch, ev);
        event_addf(ev, "DTMF-Digit", "%c", *p);
        event_add(ev, "DTMF-Duration", "1500");
        event_add(ev, "DTMF-Source", "APP");
        event_fire(ev);
    }
}

void api_uuid_hold(char *arg, struct bytes *out)
{
    bool off = strncmp(arg, "off ", 4) == 0;
    if (off)
        arg += 4;
    struct channel *ch = channel_find(arg);
    if (!ch || (off && !ch->hold)) {
        bytes_addz(out, "-ERR Operation failed\n");
        return;
    }
    ch->hold =
        !off && ch->name[0] != 'l'; /* loopback has nothing to hold, and says so only later */
    channel_event(ch, off ? &unhold_origin : &hold_origin);
    bytes_addz(out, "+OK Success\n");
}

/* ---- show ----------------------------------------------------------------------------------- */

enum { COLUMNS = 20 };
static const char *const columns[COLUMNS] = {
    "uuid",        "direction",        "created",   "created_epoch", "name",
    "state",       "cid_name",         "cid_num",   "ip_addr",       "dest",
    "application", "application_data", "dialplan",  "context",       "read_codec",
    "read_rate",   "hostname",         "callstate", "callee_num",    "call_uuid"};

static void row(const struct channel *ch, char text[COLUMNS][512])
{
    const char *values[COLUMNS] = {ch->uuid,
                                   "outbound",
                                   "",
                                   "",
                                   ch->name,
                                   ch->answered_us ? "CS_EXECUTE" : "CS_CONSUME_MEDIA",
                                   ch->caller_name,
                                   ch->caller_number,
                                   "",
                                   ch->number,
                                   ch->answered_us ? ch->app : "",
                                   ch->answered_us ? ch->app_arg : "",
                                   "xml",
                                   "default",
                                   "L16",
                                   "8000",
                                   "vm",
                                   ch->answered_us ? "ACTIVE" : "RINGING",
                                   ch->number,
                                   ""};
    for (size_t i = 0; i < COLUMNS; i++)
        (void)snprintf(text[i], 512, "%s", values[i]);
    (void)snprintf(text[3], 512, "%llu", (unsigned long long)(ch->created_us / 1000000));
}

static void rows_csv(struct bytes *out)
{
    char text[COLUMNS][512];
    for (size_t i = 0; i < COLUMNS; i++)
        bytes_addf(out, "%s%s", columns[i], i + 1 < COLUMNS ? "," : "\n");
    for (const struct channel *ch = channels; ch; ch = ch->next) {
        row(ch, text);
        for (size_t i = 0; i < COLUMNS; i++)
            bytes_addf(out, "%s%s", text[i], i + 1 < COLUMNS ? "," : "\n");
    }
}

static void rows_json(struct bytes *out, unsigned count)
{
    char text[COLUMNS][512];
    bytes_addf(out, "{\"row_count\":%u,\"rows\":[", count);
    for (const struct channel *ch = channels; ch; ch = ch->next) {
        row(ch, text);
        for (size_t i = 0; i < COLUMNS; i++) {
            bytes_addf(out, "%s\"%s\":\"", i ? "," : "{", columns[i]);
            encode_json(out, text[i], strlen(text[i]));
            bytes_addz(out, "\"");
        }
        bytes_addz(out, ch->next ? "}," : "}");
    }
    bytes_addz(out, "]}\n");
}

/* Only channels and calls have rows here; everything else that can be shown is empty. */
void api_show(char *arg, struct bytes *out)
{
    bool json = strstr(arg, "as json"), count_only = strstr(arg, " count");
    bool live = strncmp(arg, "channels", 8) == 0 || strncmp(arg, "calls", 5) == 0;
    unsigned count = 0;
    for (const struct channel *ch = live ? channels : NULL; ch; ch = ch->next)
        count++;
    if (json && !count)
        bytes_addz(out, "{\"row_count\": 0}\n");
    else if (json)
        rows_json(out, count);
    else if (count && !count_only)
        rows_csv(out);
    if (!json)
        bytes_addf(out, "\n%u total.\n", count);
}
