#include "fakefs/channel.h"

#include <stdio.h>
#include <stdlib.h>

static const struct {
    unsigned rate_hz;
    const char *name;
    unsigned bit_rate;
} codecs[] = {{8000, "PCMU", 64000}, {16000, "G722", 64000}, {48000, "opus", 0}};

static void copy(char *dst, size_t cap, const char *text, const char *fallback)
{
    (void)str_copy(dst, cap, str_of(text && *text ? text : fallback));
}

static void set_identity(struct fakefs_channel *ch, const struct fakefs_caller *who)
{
    char fresh[UUID_TEXT];
    rand_uuid(fresh);
    copy(ch->uuid, sizeof(ch->uuid), who->uuid, fresh);
    copy(ch->number, sizeof(ch->number), who->number, "8000");
    copy(ch->from, sizeof(ch->from), who->from, "0000000000");
    copy(ch->from_name, sizeof(ch->from_name), who->from_name, ch->from);
    copy(ch->context, sizeof(ch->context), who->context, "default");
    (void)snprintf(ch->name, sizeof(ch->name), "sofia/internal/%s@127.0.0.1", ch->from);
    ch->rate_hz = who->rate_hz ? who->rate_hz : 8000;
    const char *codec = "L16";
    for (size_t i = 0; i < sizeof(codecs) / sizeof(codecs[0]); i++)
        if (codecs[i].rate_hz == ch->rate_hz)
            codec = codecs[i].name;
    copy(ch->codec, sizeof(ch->codec), codec, "");
}

static void set_first_variables(struct fakefs_channel *ch)
{
    char rate[16], uri[FAKEFS_NAME_MAX + 16];
    (void)snprintf(rate, sizeof(rate), "%u", ch->rate_hz);
    (void)snprintf(uri, sizeof(uri), "%s@127.0.0.1", ch->from);
    const char *first[][2] = {{"direction", "inbound"},
                              {"uuid", ch->uuid},
                              {"session_id", "1"},
                              {"sip_from_user", ch->from},
                              {"sip_from_uri", uri},
                              {"sip_from_host", "127.0.0.1"},
                              {"channel_name", ch->name},
                              {"sip_call_id", ch->uuid},
                              {"sip_network_ip", "127.0.0.1"},
                              {"sofia_profile_name", "internal"},
                              {"sip_req_user", ch->number},
                              {"sip_to_user", ch->number},
                              {"sip_user_agent", "voice-ai call/" VA_VERSION},
                              {"DP_MATCH", NULL},
                              {"call_uuid", ch->uuid},
                              {"rtp_use_codec_name", ch->codec},
                              {"rtp_use_codec_ptime", "20"},
                              {"read_codec", ch->codec},
                              {"read_rate", rate},
                              {"write_codec", ch->codec},
                              {"write_rate", rate},
                              {"dtmf_type", "rfc2833"},
                              {"endpoint_disposition", ch->answered ? "ANSWER" : NULL}};
    for (size_t i = 0; i < sizeof(first) / sizeof(first[0]); i++)
        fakefs_channel_set(ch, first[i][0], first[i][1]);
    char match[2 * FAKEFS_NAME_MAX + 16];
    (void)snprintf(match, sizeof(match), "ARRAY::%s|:%s", ch->number, ch->number);
    fakefs_channel_set(ch, "DP_MATCH", match);
}

void fakefs_channel_init(struct fakefs_channel *ch, const struct fakefs_caller *who,
                         const struct va_clock *clock)
{
    memset(ch, 0, sizeof(*ch));
    ch->clock = clock;
    ch->answered = !who->unanswered;
    ch->state = ch->next_state = CS_EXECUTE;
    ch->call_state = ch->answered ? "ACTIVE" : "RINGING";
    ch->profile_index = 1;
    ch->created_us = clock_wall_us(clock);
    ch->answered_us = ch->answered ? ch->created_us : 0;
    set_identity(ch, who);
    set_first_variables(ch);
}

void fakefs_channel_free(struct fakefs_channel *ch)
{
    for (size_t i = 0; i < ch->var_count; i++) {
        free(ch->var[i].name);
        free(ch->var[i].value);
    }
    ch->var_count = 0;
}

static size_t find(const struct fakefs_channel *ch, const char *name)
{
    size_t i = 0;
    while (i < ch->var_count && !str_ieqz(str_of(ch->var[i].name), name))
        i++;
    return i;
}

static void delete (struct fakefs_channel *ch, const char *name)
{
    size_t i = find(ch, name);
    if (i == ch->var_count)
        return;
    free(ch->var[i].name);
    free(ch->var[i].value);
    ch->var_count--;
    memmove(&ch->var[i], &ch->var[i + 1], (ch->var_count - i) * sizeof(ch->var[0]));
}

void fakefs_channel_set(struct fakefs_channel *ch, const char *name, const char *value)
{
    char *n = str_dup(str_of(name)), *v = value && *value ? str_dup(str_of(value)) : NULL;
    if (n)
        delete (ch, n);
    if (!n || !v || ch->var_count == FAKEFS_VARS_MAX) {
        free(n);
        free(v);
        return;
    }
    ch->var[ch->var_count++] = (struct fakefs_var){n, v};
}

const char *fakefs_channel_get(const struct fakefs_channel *ch, const char *name)
{
    size_t i = find(ch, name);
    return i < ch->var_count ? ch->var[i].value : NULL;
}

bool fakefs_channel_is_true(const struct fakefs_channel *ch, const char *name)
{
    static const char *const yes[] = {"true", "yes", "on", "1", "t", "enabled", "active", "allow"};
    const char *value = fakefs_channel_get(ch, name);
    for (size_t i = 0; value && i < sizeof(yes) / sizeof(yes[0]); i++)
        if (str_ieqz(str_of(value), yes[i]))
            return true;
    return false;
}

int fakefs_cause_q850(const char *cause)
{
    static const struct {
        const char *name;
        int code;
    } causes[] = {
        {"UNALLOCATED_NUMBER", 1},  {"NO_ROUTE_DESTINATION", 3},  {"NORMAL_CLEARING", 16},
        {"USER_BUSY", 17},          {"NO_USER_RESPONSE", 18},     {"NO_ANSWER", 19},
        {"SUBSCRIBER_ABSENT", 20},  {"CALL_REJECTED", 21},        {"DESTINATION_OUT_OF_ORDER", 27},
        {"NORMAL_UNSPECIFIED", 31}, {"NETWORK_OUT_OF_ORDER", 38}, {"NORMAL_TEMPORARY_FAILURE", 41},
        {"ORIGINATOR_CANCEL", 487}, {"ALLOTTED_TIMEOUT", 602},    {"MEDIA_TIMEOUT", 604}};
    for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++)
        if (str_ieqz(str_of(cause), causes[i].name))
            return causes[i].code;
    return 0;
}
