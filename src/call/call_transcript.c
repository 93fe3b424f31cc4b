/* Transcript lines are written when it is known how much of them was heard. */
#include "call/call_int.h"

#include <stdio.h>
#include <stdlib.h>

#define MORE "\xe2\x80\xa6" /* … */

static int64_t now_ms(const struct call *c)
{
    return (clock_wall_us(loop_clock(c->loop)) - c->record.answered_us) / 1000;
}

void call_publish_line(struct call *c, const struct transcript_line *line)
{
    static const char *const who[] = {"caller", "agent", "system"};
    char at[24];
    int n = snprintf(at, sizeof(at), "%lld", (long long)line->at_ms);
    const struct esl_field fields[] = {
        {"Voice-AI-Call", str_of(c->uuid)},
        {"Voice-AI-Speaker", str_of(who[line->speaker])},
        {"Voice-AI-At-Ms", str_make(at, (size_t)n)},
    };
    enum va_err err =
        esl_session_send_custom(c->control, "voice_ai::transcript", fields,
                                sizeof(fields) / sizeof(fields[0]), str_of(line->text), NULL);
    if (err)
        log_debug("call", &c->log, "not-published", "why", va_err_text(err), NULL);
}

static void write_line(struct call *c, const struct transcript_line *line)
{
    if (history_add(c->history, line->speaker, line->text))
        log_error("call", &c->log, "history-lost", "why", va_err_text(VA_ENOMEM), NULL);
    enum va_err err = store_add_line(c->env->store, c->loop, c->uuid, line, NULL, NULL, NULL);
    if (err)
        log_error("call", &c->log, "transcript-lost", "why", va_err_text(err), NULL);
    if (c->env->settings->publish_transcript)
        call_publish_line(c, line);
}

void call_line_say(struct call *c, enum speaker who, const char *text)
{
    struct transcript_line line = {.speaker = who, .at_ms = now_ms(c), .text = text};
    write_line(c, &line);
}

/* Texts may come behind their audio. One that was heard to its end is known to be true; of one that
 * was interrupted nobody can tell any more which part. */
static void write_late(struct call *c, uint32_t answer, const char *text)
{
    if (answer != c->textless)
        return;
    struct transcript_line line = {.speaker = SPEAKER_AGENT,
                                   .at_ms = now_ms(c) - c->textless_ms,
                                   .length_ms = (int32_t)c->textless_ms,
                                   .text = text};
    c->textless = 0;
    write_line(c, &line);
}

static struct spoken_line *find_slot(struct call *c, uint32_t answer)
{
    struct spoken_line *slot = NULL;
    for (size_t i = 0; i < CALL_LINES_MAX; i++) {
        if (c->lines[i].answer == answer)
            return &c->lines[i];
        if (!c->lines[i].answer && !slot)
            slot = &c->lines[i];
    }
    return slot;
}

/* A text that comes alone is that of the whole answer, whatever was heard of it before. */
static void begin_piece(struct call *c, struct spoken_line *slot, size_t at)
{
    if (slot->pieces == CALL_PIECES_MAX)
        return;
    uint32_t written =
        playout_played_ms(c->playout, slot->answer) + playout_left_ms(c->playout, slot->answer);
    slot->piece[slot->pieces].from_ms = slot->pieces ? written : 0;
    slot->piece[slot->pieces].at = (uint32_t)at;
    slot->pieces++;
}

void call_line_open(struct call *c, uint32_t answer, const char *text)
{
    if (answer <= c->line_done) {
        write_late(c, answer, text);
        return;
    }
    struct spoken_line *slot = find_slot(c, answer);
    if (!slot)
        return; /* more answers than the playout takes: their audio was refused too */
    size_t had = slot->text ? strlen(slot->text) : 0, len = strlen(text);
    if (had + len > CALL_LINE_BYTES_MAX)
        return; /* nobody says that much in one breath */
    char *all = realloc(slot->text, had + 1 + len + sizeof(MORE));
    if (!all)
        return;
    if (!had) {
        slot->answer = answer;
        slot->at_ms = now_ms(c);
    } else {
        all[had++] = ' ';
    }
    memcpy(all + had, text, len + 1);
    slot->text = all;
    begin_piece(c, slot, had);
}

/* The piece that was being heard, in proportion to its time, cut between words, marked; without
 * what comes behind it. The text has room for the mark. */
static void cut_to_heard(struct spoken_line *slot, uint32_t heard_ms, uint32_t total_ms)
{
    if (heard_ms >= total_ms)
        return;
    size_t i = slot->pieces - 1;
    while (i > 0 && slot->piece[i].from_ms >= heard_ms)
        i--;
    bool last = i + 1 == slot->pieces;
    size_t begin = slot->piece[i].at, end = last ? strlen(slot->text) : slot->piece[i + 1].at - 1;
    uint32_t from = slot->piece[i].from_ms, to = last ? total_ms : slot->piece[i + 1].from_ms;
    size_t keep = end;
    if (heard_ms < to)
        keep = begin + (size_t)((uint64_t)(end - begin) * (heard_ms - from) / (to - from));
    while (keep > 0 && keep < end && slot->text[keep] != ' ')
        keep--;
    memcpy(slot->text + keep, MORE, sizeof(MORE));
}

static void close_slot(struct call *c, struct spoken_line *slot, uint32_t heard_ms,
                       uint32_t total_ms)
{
    struct transcript_line line = {.speaker = SPEAKER_AGENT,
                                   .at_ms = slot->at_ms,
                                   .length_ms = (int32_t)heard_ms,
                                   .text = slot->text};
    cut_to_heard(slot, heard_ms, total_ms);
    if (heard_ms) /* what was never heard was never said */
        write_line(c, &line);
    free(slot->text);
    *slot = (struct spoken_line){0};
}

void call_line_close(struct call *c, uint32_t answer, uint32_t heard_ms, uint32_t total_ms)
{
    bool found = false;
    for (size_t i = 0; i < CALL_LINES_MAX && answer; i++) {
        if (c->lines[i].answer != answer)
            continue;
        close_slot(c, &c->lines[i], heard_ms, total_ms);
        found = true;
    }
    if (answer > c->line_done)
        c->line_done = answer;
    if (!found && heard_ms && heard_ms == total_ms) {
        c->textless = answer;
        c->textless_ms = heard_ms;
    }
}

void call_lines_free(struct call *c)
{
    for (size_t i = 0; i < CALL_LINES_MAX; i++) {
        free(c->lines[i].text);
        c->lines[i] = (struct spoken_line){0};
    }
}
