/*
 * The dialogue. What was understood (a tag of listen.h or a digit) meets the mode the conversation
 * is in; the answer is a prompt, and perhaps a tool behind it.
 *
 *     MENU ──destination──► "one moment …" ► transfer          (unsure: CONFIRM ─yes─► transfer)
 *      │ ──topic──► its answer + "anything else?" ──► ANYTHING_ELSE ─no─► farewell ► end call
 *      │ ──message──► "after the tone" ► take message ─► "saved" or "could not save" ─►
 * ANYTHING_ELSE └ ──not understood, twice──► default destination, or a message
 */
#include "ai/attendant/attendant_int.h"

enum { MISSES_MAX = 2 };

/* Below this a destination is asked back rather than dialled. */
static const float SURE = 0.8f;
/* A wrong answer to a question costs the caller a few seconds, not a call. */
static const float FAIRLY_SURE = 0.6f;

static void transfer(struct provider *p, size_t i, enum prompt announcement)
{
    p->mode = MODE_MENU;
    p->transferring = i;
    attendant_speak_prompt(p, announcement, p->secretary->destinations[i].name, ANSWER_PROTECTED,
                           (struct then){true, TOOL_TRANSFER, i});
}

static void take_message(struct provider *p, enum prompt announcement)
{
    p->mode = MODE_ANYTHING_ELSE;
    attendant_speak_prompt(p, announcement, NULL, ANSWER_PROTECTED,
                           (struct then){true, TOOL_TAKE_MESSAGE, 0});
}

static void say_goodbye(struct provider *p)
{
    attendant_speak_prompt(p, PROMPT_FAREWELL, NULL, ANSWER_PROTECTED,
                           (struct then){true, TOOL_END_CALL, 0});
}

static void answer_topic(struct provider *p, size_t i)
{
    p->mode = MODE_ANYTHING_ELSE;
    buf_reset(&p->said);
    buf_addz(&p->said, p->secretary->topics[i].answer);
    buf_addc(&p->said, ' ');
    prompt_add(&p->said, p->secretary, PROMPT_ANYTHING_ELSE, NULL);
    attendant_speak(p, 0, attendant_nothing);
}

static bool default_index(const struct provider *p, size_t *ret_i)
{
    const struct destination *d = secretary_default_destination(p->secretary);
    if (d)
        *ret_i = (size_t)(d - p->secretary->destinations);
    return d != NULL;
}

static void give_up(struct provider *p)
{
    size_t i = 0;
    p->misses = 0;
    if (default_index(p, &i))
        transfer(p, i, PROMPT_GIVE_UP);
    else
        take_message(p, PROMPT_GIVE_UP_MESSAGE);
}

void dialogue_not_understood(struct provider *p)
{
    p->mode = p->mode == MODE_CONFIRM ? MODE_MENU : p->mode;
    if (++p->misses >= MISSES_MAX)
        give_up(p);
    else
        attendant_speak_prompt(p, PROMPT_NOT_UNDERSTOOD, NULL, 0, attendant_nothing);
}

static void understood_yes(struct provider *p)
{
    if (p->mode == MODE_CONFIRM) {
        transfer(p, p->confirming, PROMPT_TRANSFERRING);
    } else if (p->mode == MODE_ANYTHING_ELSE) {
        p->mode = MODE_MENU;
        attendant_speak_prompt(p, PROMPT_GO_ON, NULL, 0, attendant_nothing);
    } else {
        dialogue_not_understood(p);
    }
}

static void understood_no(struct provider *p)
{
    if (p->mode == MODE_ANYTHING_ELSE) {
        say_goodbye(p);
    } else if (p->mode == MODE_CONFIRM) {
        p->mode = MODE_MENU; /* it was something else: that counts as not understood */
        if (++p->misses >= MISSES_MAX)
            give_up(p);
        else
            attendant_speak_prompt(p, PROMPT_MENU, NULL, 0, attendant_nothing);
    } else {
        dialogue_not_understood(p);
    }
}

static void understood_word(struct provider *p, int tag)
{
    size_t i = 0;
    switch (tag) {
    case LISTEN_YES: understood_yes(p); break;
    case LISTEN_NO: understood_no(p); break;
    case LISTEN_MESSAGE: take_message(p, PROMPT_MESSAGE_START); break;
    case LISTEN_REPEAT:
        if (p->said.len)
            attendant_speak(p, 0, attendant_nothing);
        break;
    case LISTEN_HELP: attendant_speak_prompt(p, PROMPT_MENU, NULL, 0, attendant_nothing); break;
    case LISTEN_GOODBYE: say_goodbye(p); break;
    case LISTEN_OPERATOR:
        if (default_index(p, &i))
            transfer(p, i, PROMPT_TRANSFERRING);
        else
            take_message(p, PROMPT_MESSAGE_START);
        break;
    default: dialogue_not_understood(p); break;
    }
}

static void understood_destination(struct provider *p, size_t i, float confidence)
{
    if (confidence >= SURE) {
        p->misses = 0;
        transfer(p, i, PROMPT_TRANSFERRING);
        return;
    }
    p->mode = MODE_CONFIRM;
    p->confirming = i;
    attendant_speak_prompt(p, PROMPT_CONFIRM, p->secretary->destinations[i].name, 0,
                           attendant_nothing);
}

/* A question was asked that yes or no answers. */
static bool asked(const struct provider *p)
{
    return p->mode != MODE_MENU;
}

void dialogue_understood(struct provider *p, int tag, float confidence)
{
    const struct secretary *s = p->secretary;
    size_t topic = (size_t)(tag - LISTEN_TOPIC), destination = (size_t)(tag - LISTEN_DESTINATION);
    bool reply = (tag == LISTEN_YES || tag == LISTEN_NO) && asked(p);
    if (tag >= LISTEN_TOPIC && topic < s->topic_count && confidence >= FAIRLY_SURE) {
        p->misses = 0;
        answer_topic(p, topic);
    } else if (tag >= LISTEN_DESTINATION && tag < LISTEN_TOPIC &&
               destination < s->destination_count) {
        understood_destination(p, destination, confidence);
    } else if (tag < LISTEN_DESTINATION && (reply || confidence >= SURE)) {
        understood_word(p, tag);
    } else {
        dialogue_not_understood(p);
    }
}

void dialogue_digit(struct provider *p, char digit)
{
    const struct secretary *s = p->secretary;
    for (size_t i = 0; i < s->destination_count; i++) {
        if (s->destinations[i].digit == digit) {
            p->misses = 0;
            transfer(p, i, PROMPT_TRANSFERRING);
            return;
        }
    }
    for (size_t i = 0; i < s->topic_count; i++) {
        if (s->topics[i].digit == digit) {
            p->misses = 0;
            answer_topic(p, i);
            return;
        }
    }
    /* Digits nobody claimed mean what callers expect of them. */
    int tag = digit == '0'   ? LISTEN_OPERATOR
              : digit == '9' ? LISTEN_MESSAGE
              : digit == '*' ? LISTEN_HELP
                             : -1;
    understood_word(p, tag);
}

/* A secretary with words of its own for a transfer that failed and none for this cause means them
 * for all causes. */
static enum prompt transfer_prompt(const struct secretary *s, enum prompt prompt)
{
    bool own = secretary_prompt(s, prompt_key(prompt)) != NULL;
    return !own && secretary_prompt(s, prompt_key(PROMPT_TRANSFER_FAILED)) ? PROMPT_TRANSFER_FAILED
                                                                           : prompt;
}

static void transfer_result(struct provider *p, enum va_err result)
{
    const struct secretary *s = p->secretary;
    enum prompt prompt = PROMPT_TRANSFER_FAILED;
    if (result == VA_OK)
        return;
    if (result == VA_EBUSY)
        prompt = transfer_prompt(s, PROMPT_TRANSFER_BUSY);
    else if (result == VA_ETIMEOUT)
        prompt = transfer_prompt(s, PROMPT_TRANSFER_NO_ANSWER);
    else if (result == VA_EINTR)
        prompt = PROMPT_GO_ON;
    else if (result == VA_ECLOSED)
        prompt = PROMPT_TRANSFER_RETURNED;
    if (prompt == PROMPT_TRANSFER_RETURNED)
        p->mode = MODE_ANYTHING_ELSE;
    attendant_speak_prompt(p, prompt, s->destinations[p->transferring].name, 0, attendant_nothing);
}

static void message_result(struct provider *p, enum va_err result)
{
    p->mode = MODE_ANYTHING_ELSE;
    enum prompt prompt = result == VA_OK          ? PROMPT_MESSAGE_TAKEN
                         : result == VA_ENOTFOUND ? PROMPT_MESSAGE_EMPTY
                                                  : PROMPT_MESSAGE_FAILED;
    attendant_speak_prompt(p, prompt, NULL, 0, attendant_nothing);
}

void dialogue_tool_result(struct provider *p, enum va_err result)
{
    if (p->tool_kind == TOOL_TRANSFER)
        transfer_result(p, result);
    else if (p->tool_kind == TOOL_TAKE_MESSAGE)
        message_result(p, result);
}

/* ---- taking over ------------------------------------------------------------------------------
 * Somebody else spoke with the caller so far. */

static const char *last_words(const struct provider *p)
{
    for (size_t i = history_count(p->history); i-- > 0;)
        if (history_at(p->history, i).speaker == SPEAKER_CALLER)
            return history_at(p->history, i).text;
    return "";
}

void dialogue_ask_again(struct provider *p)
{
    p->mode = MODE_MENU;
    attendant_speak_prompt(p, PROMPT_REPEAT, NULL, 0, attendant_nothing);
}

void dialogue_answer_history(struct provider *p)
{
    const char *words = last_words(p);
    int tag = 0;
    bool sure = false;
    p->mode = MODE_MENU;
    if (*words && !words[1] && strchr("0123456789*#ABCD", *words))
        dialogue_digit(p, *words);
    else if (listen_read(p->secretary, words, &tag, &sure) == VA_OK &&
             (sure || tag >= LISTEN_DESTINATION))
        dialogue_understood(p, tag, sure ? 1.0f : FAIRLY_SURE);
    else
        dialogue_ask_again(p);
}
