#include "app/cmd_secretary_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void secretary_list_take(struct secretary_list *list, const struct secretary *s)
{
    const struct secretary **bigger =
        realloc(list->s, (list->count + 1) * sizeof(const struct secretary *));
    if (!bigger) {
        list->failed = true;
        secretary_unref(&s);
        return;
    }
    list->s = bigger;
    list->s[list->count++] = s;
}

void secretary_list_free(struct secretary_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        secretary_unref(&list->s[i]);
    free(list->s);
    *list = (struct secretary_list){NULL, 0, false};
}

/* ---- table ---------------------------------------------------------------------------------- */

enum { COLUMNS = 7 };

/* Characters, not bytes: UTF-8 continuation bytes take no room. */
static size_t width(const char *text)
{
    size_t n = 0;
    for (; *text; text++)
        n += ((unsigned char)*text & 0xc0) != 0x80;
    return n;
}

static void cells(const struct secretary *s, char count[static 24], const char *cell[COLUMNS])
{
    (void)snprintf(count, 24, "%zu", s->destination_count);
    cell[0] = s->tenant;
    cell[1] = s->name;
    cell[2] = s->extension[0] ? s->extension : "-";
    cell[3] = s->language;
    cell[4] = s->provider[0] ? s->provider : "-";
    cell[5] = count;
    cell[6] = s->enabled ? "yes" : "no";
}

static void print_cells(const char *const cell[COLUMNS], const size_t widest[COLUMNS])
{
    for (size_t c = 0; c + 1 < COLUMNS; c++)
        (void)printf("%s%*s", cell[c], (int)(widest[c] - width(cell[c]) + 2), "");
    (void)printf("%s\n", cell[COLUMNS - 1]);
}

void secretary_print_table(const struct secretary_list *list)
{
    static const char *const head[COLUMNS] = {"TENANT",   "NAME",         "EXTENSION", "LANGUAGE",
                                              "PROVIDER", "DESTINATIONS", "ENABLED"};
    size_t widest[COLUMNS];
    const char *cell[COLUMNS];
    char count[24];
    for (size_t c = 0; c < COLUMNS; c++)
        widest[c] = width(head[c]);
    for (size_t i = 0; i < list->count; i++) {
        cells(list->s[i], count, cell);
        for (size_t c = 0; c < COLUMNS; c++)
            if (width(cell[c]) > widest[c])
                widest[c] = width(cell[c]);
    }
    print_cells(head, widest);
    for (size_t i = 0; i < list->count; i++) {
        cells(list->s[i], count, cell);
        print_cells(cell, widest);
    }
}

/* ---- one ------------------------------------------------------------------------------------ */

enum { LABEL = 16 };

/* A text of several lines is indented under its label. */
static void print_text(const char *label, const char *text, const char *if_empty)
{
    (void)printf("%-*s", LABEL, label);
    if (!text[0])
        (void)fputs(if_empty, stdout);
    for (const char *p = text; *p; p++)
        if (*p != '\n')
            (void)putchar(*p);
        else if (p[1])
            (void)printf("\n%*s", LABEL, "");
    (void)putchar('\n');
}

static void print_list(const struct text_list *list, const char *before)
{
    for (size_t i = 0; i < list->count; i++)
        (void)printf("%s%s", i ? ", " : before, list->item[i]);
}

static void print_digit(char digit)
{
    if (digit)
        (void)printf("  [%c]", digit);
}

static void print_destinations(const struct secretary *s)
{
    (void)printf("destinations    %s\n", s->destination_count ? "" : "none");
    for (size_t i = 0; i < s->destination_count; i++) {
        const struct destination *d = &s->destinations[i];
        (void)printf("  %s -> %s%s%s", d->name, d->number, d->context[0] ? " in " : "", d->context);
        print_digit(d->digit);
        (void)printf("%s", d->is_default ? "  default" : "");
        print_list(&d->aliases, "  also: ");
        (void)putchar('\n');
    }
}

static void print_topics(const struct secretary *s)
{
    (void)printf("topics          %s\n", s->topic_count ? "" : "none");
    for (size_t i = 0; i < s->topic_count; i++) {
        const struct topic *t = &s->topics[i];
        (void)printf("  %s", t->name);
        print_digit(t->digit);
        print_list(&t->phrases, "  asked by: ");
        (void)printf("\n    %s\n", t->answer);
    }
}

static void print_limits(const struct secretary *s)
{
    (void)printf("silence         asks again after %d ms, goodbye after %d prompts\n",
                 s->silence_ms, s->silence_prompts);
    (void)printf("turn            ends after %d ms of silence\n", s->end_silence_ms);
    (void)printf("longest         call %d s, message %d s\n", s->max_duration_s, s->message_max_s);
    (void)printf("barge-in        %s, first %d ms of the greeting protected\n",
                 s->barge_in ? "yes" : "no", s->protect_ms);
    (void)printf("record          %s\n", s->record < 0 ? "as RECORD_CALLS says"
                                         : s->record   ? "yes"
                                                       : "no");
}

void secretary_print(const struct secretary *s)
{
    print_text("name", s->name, "");
    print_text("tenant", s->tenant, "");
    print_text("id", s->id, "");
    print_text("enabled", s->enabled ? "yes" : "no", "");
    print_text("extension", s->extension, "any");
    print_text("company", s->company, "-");
    print_text("language", s->language, "");
    print_text("voice", s->voice, "the provider's choice");
    print_text("provider", s->provider, "as AI_PROVIDER says");
    (void)printf("%-*s", LABEL, "fallbacks");
    print_list(&s->fallbacks, "");
    (void)puts(s->fallbacks.count ? "" : "-");
    print_text("greeting", s->greeting, "-");
    print_text("farewell", s->farewell, "-");
    print_text("instructions", s->instructions, "-");
    print_limits(s);
    print_destinations(s);
    print_topics(s);
    (void)printf("prompts         %s\n", s->prompt_count ? "" : "the usual ones");
    for (size_t i = 0; i < s->prompt_count; i++)
        (void)printf("  %s: %s\n", s->prompts[i].key, s->prompts[i].text);
}
