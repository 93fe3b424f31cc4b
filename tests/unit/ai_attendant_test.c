/* ai/attendant: taking over a conversation that somebody else began. */
#include "ai/attendant/attendant.h"
#include "ai/attendant/listen.h"
#include "ai/speech/tts.h"
#include "base/buf.h"

#include "unit/unit.h"

#include <stdlib.h>

struct rig {
    struct provider_env env; /* as long as the provider */
    struct loop *loop;
    struct tts *tts;
    struct secretary *secretary;
    struct history *history;
    struct call_record record;
    struct settings settings;
    struct provider *p;
    struct buf said;
    char tool[64];
    bool done, failed;
};

static void add_destination(struct secretary *s, const char *name, const char *number, char digit)
{
    struct destination *d = NULL;
    assert_int_equal(secretary_add_destination(s, &d), VA_OK);
    assert_int_equal(secretary_set(&d->name, name), VA_OK);
    assert_int_equal(secretary_set(&d->number, number), VA_OK);
    d->digit = digit;
}

static struct secretary *make_secretary(const char *language)
{
    struct secretary *s = NULL;
    struct topic *t = NULL;
    assert_int_equal(secretary_new(&s), VA_OK);
    assert_int_equal(secretary_set(&s->language, language), VA_OK);
    assert_int_equal(secretary_set(&s->name, "teste"), VA_OK);
    add_destination(s, "vendas", "201", '1');
    add_destination(s, "Óptica São José", "202", '2');
    assert_int_equal(secretary_add_topic(s, &t), VA_OK);
    assert_int_equal(secretary_set(&t->name, "horário"), VA_OK);
    assert_int_equal(secretary_list_add(&t->phrases, "horário de funcionamento"), VA_OK);
    assert_int_equal(secretary_set(&t->answer, "Abrimos às nove."), VA_OK);
    return s;
}

/* ---- reading -----------------------------------------------------------------------------------
 */

static void sentences_are_read(void **state)
{
    static const struct {
        const char *text;
        int tag; /* -1: nothing */
        bool sure;
    } rows[] = {
        {"Vendas.", LISTEN_DESTINATION, true},
        {"VENDAS!", LISTEN_DESTINATION, true},
        {"quero saber se as vendas abrem no domingo, por favor", LISTEN_DESTINATION, false},
        {"revendas", -1, false}, /* whole words */
        {"óptica são josé", LISTEN_DESTINATION + 1, true},
        {"ÓPTICA SÃO JOSÉ?", LISTEN_DESTINATION + 1, true},
        {"Qual é o horário de funcionamento?", LISTEN_TOPIC, true},
        {"o horário das vendas, o horário de funcionamento mesmo", LISTEN_TOPIC, false},
        {"queria deixar um recado", LISTEN_MESSAGE, true},
        {"uma pessoa", LISTEN_OPERATOR, true},
        {"sim", -1, false}, /* to which question? */
        {"não, obrigado", -1, false},
        {"", -1, false},
        {"... ?! ...", -1, false},
        {"\xc3", -1, false},
        {"vendas\xff\xfe", -1, false},
    };
    (void)state;
    struct secretary *s = make_secretary("pt-BR");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int tag = -1;
        bool sure = false;
        enum va_err err = listen_read(s, rows[i].text, &tag, &sure);
        if (tag != rows[i].tag || err != (tag < 0 ? VA_ENOTFOUND : VA_OK) ||
            (tag >= 0 && sure != rows[i].sure))
            fail_msg("\"%s\": %s, tag %d, %s", rows[i].text, va_err_name(err), tag,
                     sure ? "sure" : "unsure");
    }
    char *longest = malloc(SECRETARY_TEXT_MAX * 2 + 1);
    memset(longest, 'x', SECRETARY_TEXT_MAX * 2);
    longest[SECRETARY_TEXT_MAX * 2] = 0;
    int tag = -1;
    bool sure = false;
    assert_int_equal(listen_read(s, longest, &tag, &sure), VA_ELIMIT);
    free(longest);
    secretary_unref((const struct secretary **)&s);
}

/* ---- taking over -------------------------------------------------------------------------------
 */

static void on_ready(void *arg)
{
    (void)arg;
}

static void on_answer(void *arg, uint32_t answer, unsigned flags)
{
    (void)arg, (void)answer, (void)flags;
}

static void on_audio(void *arg, uint32_t answer, struct pcm *audio)
{
    (void)arg, (void)answer;
    assert_true(pcm_ms(audio) > 300);
}

static void on_answer_done(void *arg, uint32_t answer)
{
    struct rig *r = arg;
    (void)answer;
    r->done = true;
}

static void on_transcript(void *arg, enum speaker who, uint32_t answer, const char *text)
{
    struct rig *r = arg;
    (void)who, (void)answer;
    buf_addz(&r->said, text);
}

static void on_speech(void *arg, enum turn_phase phase)
{
    (void)arg, (void)phase;
}

static void on_tool(void *arg, const struct tool_call *tool)
{
    struct rig *r = arg;
    (void)snprintf(r->tool, sizeof(r->tool), "%d %s", tool->kind, tool->destination);
}

static void on_failed(void *arg, enum va_err why, const char *text)
{
    struct rig *r = arg;
    (void)why;
    print_message("%s\n", text);
    r->failed = true;
}

static const struct provider_handlers handlers = {.on_ready = on_ready,
                                                  .on_answer = on_answer,
                                                  .on_audio = on_audio,
                                                  .on_answer_done = on_answer_done,
                                                  .on_transcript = on_transcript,
                                                  .on_speech = on_speech,
                                                  .on_tool = on_tool,
                                                  .on_failed = on_failed};

static void open_provider(struct rig *r)
{
    r->env = (struct provider_env){.tts = r->tts};
    struct provider_cfg cfg = {.loop = r->loop,
                               .env = &r->env,
                               .secretary = r->secretary,
                               .rate_hz = 8000,
                               .settings = &r->settings,
                               .history = r->history,
                               .record = &r->record,
                               .log = {"default", "test"}};
    assert_int_equal(provider_attendant.open(&cfg, &handlers, r, &r->p), VA_OK);
    loop_turn(r->loop, false);
}

/* The conversation of take_over() is asked for a transfer, which ends so. What is said of it. */
static void transfer_ends(struct rig *r, enum va_err result, const char *answer)
{
    r->done = r->failed = false;
    *r->tool = 0;
    open_provider(r);
    provider_attendant.digit(r->p, '2');
    while (!*r->tool && !r->failed)
        loop_turn(r->loop, true);
    buf_reset(&r->said);
    r->done = false;
    provider_attendant.tool_result(r->p, 1, result);
    while (!r->done && !r->failed)
        loop_turn(r->loop, true);
    assert_false(r->failed);
    if (!strstr(buf_z(&r->said), answer))
        fail_msg("%s -> \"%s\"", va_err_name(result), buf_z(&r->said));
    provider_attendant.close(&r->p);
    loop_turn(r->loop, false);
}

/* The history, then say(). What it answers is in r->said, what it wants done in r->tool. */
static void take_over(struct rig *r, const char *words, enum say_intent intent)
{
    buf_reset(&r->said);
    *r->tool = 0;
    r->done = r->failed = false;
    assert_int_equal(history_add(r->history, SPEAKER_CALLER, words), VA_OK);
    assert_int_equal(history_add(r->history, SPEAKER_AGENT, "Só um instante, por favor."), VA_OK);
    open_provider(r);
    provider_attendant.say(r->p, intent);
    while (!r->done && !r->failed)
        loop_turn(r->loop, true);
    assert_false(r->failed);
    provider_attendant.close(&r->p);
    loop_turn(r->loop, false);
}

static void says(struct rig *r, const char *words, const char *answer, const char *tool)
{
    take_over(r, words, SAY_ANSWER);
    if (!strstr(buf_z(&r->said), answer) || strcmp(r->tool, tool) != 0)
        fail_msg("\"%s\" -> \"%s\" [%s]", words, buf_z(&r->said), r->tool);
}

static void the_last_words_are_answered(void **state)
{
    (void)state;
    struct rig r = {.secretary = make_secretary("pt-BR")};
    struct va_fault fault;
    log_set_level(LOG_ERROR + 1);
    buf_init(&r.said, 4000);
    (void)str_copy(r.settings.ai_provider, SETTING_TEXT_MAX, str_of("openai"));
    assert_int_equal(secretary_set(&r.secretary->voice, "marin"), VA_OK); /* none of ours */
    assert_int_equal(history_new(&r.history), VA_OK);
    assert_int_equal(loop_new(NULL, 0, &r.loop), VA_OK);
    if (tts_start(&(struct tts_cfg){.command = "espeak-ng"}, &r.tts, &fault))
        fail_msg("%s", fault.text);
    says(&r, "Qual é o horário de funcionamento?", "Abrimos às nove.", "");
    says(&r, "Vendas.", "transferir você para vendas", "0 vendas");
    says(&r, "Eu gostaria de saber se as vendas abrem no domingo", "Você quer falar com vendas?",
         "");
    says(&r, "2", "Óptica São José", "0 Óptica São José");
    says(&r, "Quanto custa o frete para Manaus?", "Desculpe, pode repetir? Diga com quem", "");
    says(&r, "Sim.", "Desculpe, pode repetir?", "");
    take_over(&r, "vendas", SAY_REPEAT);
    assert_non_null(strstr(buf_z(&r.said), "Desculpe, pode repetir?"));
    transfer_ends(&r, VA_EBUSY, "a linha de Óptica São José está ocupada. Se quiser, diga recado");
    transfer_ends(&r, VA_ETIMEOUT, "ninguém atendeu em Óptica São José. Se quiser, diga recado");
    transfer_ends(&r, VA_EREFUSED, "não consegui transferir a ligação. Se quiser, diga recado");
    transfer_ends(&r, VA_ENOTFOUND, "não consegui transferir");
    transfer_ends(&r, VA_EINTR, "Pois não.");
    transfer_ends(&r, VA_ECLOSED, "de volta comigo. Posso ajudar em mais alguma coisa?");
    assert_int_equal(secretary_add_prompt(r.secretary, "transfer-failed", "Não deu."), VA_OK);
    transfer_ends(&r, VA_EBUSY, "Não deu."); /* its own words, for all causes … */
    assert_int_equal(secretary_add_prompt(r.secretary, "transfer-busy", "Fala."), VA_OK);
    transfer_ends(&r, VA_EBUSY, "Fala."); /* … but for those it has others for */
    transfer_ends(&r, VA_ETIMEOUT, "Não deu.");
    tts_stop(&r.tts);
    loop_free(&r.loop);
    history_free(&r.history);
    buf_free(&r.said);
    secretary_unref((const struct secretary **)&r.secretary);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sentences_are_read),
        cmocka_unit_test(the_last_words_are_answered),
    };
    return cmocka_run_group_tests_name("ai attendant", tests, NULL, NULL);
}
