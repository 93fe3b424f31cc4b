#include "ai/attendant/prompts.h"

enum { DEPTH_MAX = 2 /* {menu} inside a prompt, {options} inside that */ };

struct prompt_row {
    const char *key, *pt, *en;
};

/* clang-format off */
static const struct prompt_row rows[PROMPT_COUNT] = {
    [PROMPT_GREETING] = {"greeting",
        "Olá! Você ligou para {company}. {menu}",
        "Hello! You have reached {company}. {menu}"},
    [PROMPT_MENU] = {"menu",
        "Diga com quem você quer falar: {options}. Ou diga recado, para deixar uma mensagem.",
        "Please say who you would like to speak with: {options}. Or say message, to leave a message."},
    [PROMPT_NOT_UNDERSTOOD] = {"not-understood",
        "Desculpe, não entendi. {menu}",
        "Sorry, I did not understand. {menu}"},
    [PROMPT_GIVE_UP] = {"give-up",
        "Desculpe, ainda não entendi. Vou transferir você para {destination}.",
        "Sorry, I still did not understand. I will transfer you to {destination}."},
    [PROMPT_GIVE_UP_MESSAGE] = {"give-up-message",
        "Desculpe, ainda não entendi. Por favor, deixe um recado após o sinal.",
        "Sorry, I still did not understand. Please leave a message after the tone."},
    [PROMPT_CONFIRM] = {"confirm",
        "Você quer falar com {destination}? Diga sim ou não.",
        "Would you like to speak with {destination}? Please say yes or no."},
    [PROMPT_TRANSFERRING] = {"transferring",
        "Um momento, vou transferir você para {destination}.",
        "One moment, I will transfer you to {destination}."},
    [PROMPT_TRANSFER_FAILED] = {"transfer-failed",
        "Desculpe, não consegui transferir a ligação. Se quiser, diga recado, para deixar uma mensagem.",
        "Sorry, I could not transfer the call. If you like, say message, to leave a message."},
    [PROMPT_TRANSFER_BUSY] = {"transfer-busy",
        "Desculpe, a linha de {destination} está ocupada. Se quiser, diga recado, para deixar uma mensagem.",
        "Sorry, the line of {destination} is busy. If you like, say message, to leave a message."},
    [PROMPT_TRANSFER_NO_ANSWER] = {"transfer-no-answer",
        "Desculpe, ninguém atendeu em {destination}. Se quiser, diga recado, para deixar uma mensagem.",
        "Sorry, nobody answered at {destination}. If you like, say message, to leave a message."},
    [PROMPT_TRANSFER_RETURNED] = {"transfer-returned",
        "Você está de volta comigo. {anything}",
        "You are back with me. {anything}"},
    [PROMPT_MESSAGE_START] = {"message-start",
        "Deixe o seu recado após o sinal. Para terminar, fique em silêncio ou aperte qualquer tecla.",
        "Please leave your message after the tone. To finish, stay silent or press any key."},
    [PROMPT_MESSAGE_TAKEN] = {"message-taken",
        "Obrigada, o seu recado foi guardado. {anything}",
        "Thank you, your message has been saved. {anything}"},
    [PROMPT_MESSAGE_EMPTY] = {"message-empty",
        "Não ouvi nenhum recado. {anything}",
        "I did not hear a message. {anything}"},
    [PROMPT_MESSAGE_FAILED] = {"message-failed",
        "Desculpe, não consegui guardar o seu recado. {anything}",
        "Sorry, I could not save your message. {anything}"},
    [PROMPT_ANYTHING_ELSE] = {"anything-else",
        "Posso ajudar em mais alguma coisa?",
        "Is there anything else I can help you with?"},
    [PROMPT_GO_ON] = {"go-on",
        "Pois não. {menu}",
        "Sure. {menu}"},
    [PROMPT_STILL_THERE] = {"still-there",
        "Você ainda está aí? {menu}",
        "Are you still there? {menu}"},
    [PROMPT_FAREWELL] = {"farewell",
        "Obrigada por ligar. Até logo!",
        "Thank you for calling. Goodbye!"},
    [PROMPT_TIME_UP] = {"time-up",
        "O tempo desta ligação terminou. Obrigada por ligar. Até logo!",
        "The time for this call is over. Thank you for calling. Goodbye!"},
    [PROMPT_HOLD_ON] = {"hold-on",
        "Um momento, por favor.",
        "One moment, please."},
    [PROMPT_REPEAT] = {"repeat",
        "Desculpe, pode repetir? {menu}",
        "Sorry, could you say that again? {menu}"},
    [PROMPT_FILLER] = {"filler",
        "Só um instante, por favor.",
        "Just a moment, please."},
};
/* clang-format on */

const char *prompt_key(enum prompt prompt)
{
    return rows[prompt].key;
}

bool prompt_key_known(const char *key)
{
    for (int i = 0; i < PROMPT_COUNT; i++)
        if (strcmp(rows[i].key, key) == 0)
            return true;
    return false;
}

const char *prompt_key_nearest(const char *key)
{
    return str_nearest(str_of(key), &rows[0].key, PROMPT_COUNT, sizeof(rows[0]));
}

static bool portuguese(const struct secretary *s)
{
    return str_starts(str_of(s->language), "pt");
}

/* The secretary's own words first; its greeting and farewell have fields of their own. */
static const char *prompt_text(const struct secretary *s, enum prompt prompt)
{
    if (prompt == PROMPT_GREETING && *s->greeting)
        return s->greeting;
    if (prompt == PROMPT_FAREWELL && *s->farewell)
        return s->farewell;
    const char *own = secretary_prompt(s, rows[prompt].key);
    if (own)
        return own;
    return portuguese(s) ? rows[prompt].pt : rows[prompt].en;
}

static void add_options(struct buf *out, const struct secretary *s)
{
    enum { SPOKEN_MAX = 6 }; /* nobody remembers more */
    size_t n = s->destination_count < SPOKEN_MAX ? s->destination_count : SPOKEN_MAX;
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            buf_addz(out, i + 1 < n ? ", " : portuguese(s) ? " ou " : " or ");
        buf_addz(out, s->destinations[i].name);
    }
    if (n == 0)
        buf_addz(out, portuguese(s) ? "ninguém" : "nobody");
}

static void expand(struct buf *out, const struct secretary *s, const char *text,
                   const char *destination, int depth);

static void add_word(struct buf *out, const struct secretary *s, struct str word,
                     const char *destination, int depth)
{
    if (str_eqz(word, "company"))
        buf_addz(out, *s->company ? s->company : s->name);
    else if (str_eqz(word, "name"))
        buf_addz(out, s->name);
    else if (str_eqz(word, "destination"))
        buf_addz(out, destination ? destination : "");
    else if (str_eqz(word, "options"))
        add_options(out, s);
    else if (str_eqz(word, "menu") && depth < DEPTH_MAX)
        expand(out, s, prompt_text(s, PROMPT_MENU), destination, depth + 1);
    else if (str_eqz(word, "anything") && depth < DEPTH_MAX)
        expand(out, s, prompt_text(s, PROMPT_ANYTHING_ELSE), destination, depth + 1);
}

static void expand(struct buf *out, const struct secretary *s, const char *text,
                   const char *destination, int depth)
{
    struct str rest = str_of(text);
    while (rest.len) {
        bool opens = memchr(rest.p, '{', rest.len) != NULL;
        buf_adds(out, str_cut(&rest, '{'));
        if (!opens || !memchr(rest.p, '}', rest.len))
            continue;
        add_word(out, s, str_cut(&rest, '}'), destination, depth);
    }
}

enum va_err prompt_add(struct buf *out, const struct secretary *s, enum prompt prompt,
                       const char *destination)
{
    expand(out, s, prompt_text(s, prompt), destination, 0);
    return out->err;
}
