/* The two secretaries of a new installation. Written as a user would write them, and read the same
 * way: they are also the example that `voice-ai secretary export` shows. */
#include "store/secretary_admin.h"

static const char defaults[] =
    "name: recepcao\n"
    "extension: \"8000\"\n"
    "company: Empresa Exemplo\n"
    "language: pt-BR\n"
    "greeting: >-\n"
    "  Olá, você ligou para a Empresa Exemplo. Eu sou a secretária virtual.\n"
    "  Diga com quem quer falar: vendas, suporte ou financeiro.\n"
    "  Ou diga recado para deixar uma mensagem.\n"
    "farewell: A Empresa Exemplo agradece a sua ligação. Até logo!\n"
    "instructions: >-\n"
    "  Você é a secretária virtual da Empresa Exemplo. Atenda com simpatia, em português do "
    "Brasil,\n"
    "  com frases curtas. Descubra com quem a pessoa quer falar e transfira a ligação, responda "
    "às\n"
    "  perguntas sobre horário e endereço, ou anote um recado. Não invente informações.\n"
    "destinations:\n"
    "  - {name: vendas, aliases: [comercial, comprar], number: \"201\", digit: \"1\"}\n"
    "  - name: suporte\n"
    "    aliases: [suporte técnico, ajuda técnica, assistência]\n"
    "    number: \"202\"\n"
    "    digit: \"2\"\n"
    "  - {name: financeiro, aliases: [cobrança, boleto], number: \"203\", digit: \"3\"}\n"
    "  - name: telefonista\n"
    "    aliases: [atendente, recepção]\n"
    "    number: \"200\"\n"
    "    digit: \"0\"\n"
    "    default: true\n"
    "topics:\n"
    "  - name: horário\n"
    "    phrases: [horário, que horas abre, que horas fecha, horário de funcionamento,\n"
    "              horário de atendimento]\n"
    "    answer: Atendemos de segunda a sexta-feira, das oito da manhã às seis da tarde.\n"
    "  - name: endereço\n"
    "    phrases: [endereço, onde fica, onde vocês ficam, localização]\n"
    "    answer: Estamos na Avenida Paulista, número mil, em São Paulo.\n"
    "---\n"
    "name: reception\n"
    "extension: \"8001\"\n"
    "company: Example Company\n"
    "language: en-US\n"
    "greeting: >-\n"
    "  Hello, you have reached Example Company. I am the virtual receptionist.\n"
    "  Tell me who you would like to talk to: sales, support or billing.\n"
    "  Or say message to leave one.\n"
    "farewell: Thank you for calling Example Company. Goodbye!\n"
    "instructions: >-\n"
    "  You are the virtual receptionist of Example Company. Be friendly, speak American English, "
    "in\n"
    "  short sentences. Find out who the caller wants to talk to and transfer the call, answer\n"
    "  questions about opening hours and address, or take a message. Never make up information.\n"
    "destinations:\n"
    "  - {name: sales, aliases: [buy, purchase], number: \"201\", digit: \"1\"}\n"
    "  - {name: support, aliases: [technical support, help desk], number: \"202\", digit: \"2\"}\n"
    "  - {name: billing, aliases: [accounting, invoice], number: \"203\", digit: \"3\"}\n"
    "  - name: operator\n"
    "    aliases: [front desk, human, somebody]\n"
    "    number: \"200\"\n"
    "    digit: \"0\"\n"
    "    default: true\n"
    "topics:\n"
    "  - name: opening hours\n"
    "    phrases: [opening hours, hours, when do you open, when do you close, are you open]\n"
    "    answer: We are open Monday to Friday, from eight in the morning to six in the evening.\n"
    "  - name: address\n"
    "    phrases: [address, where are you, location]\n"
    "    answer: You find us at one hundred Main Street, Springfield.\n";

struct pair {
    const struct secretary *s[2];
    size_t count;
};

static void on_each(void *arg, struct secretary *s)
{
    struct pair *pair = arg;
    pair->s[pair->count++] = s;
}

enum va_err secretary_defaults(const struct secretary **ret_pt, const struct secretary **ret_en)
{
    struct pair pair = {{NULL, NULL}, 0};
    struct str text = str_make(defaults, sizeof(defaults) - 1);
    enum va_err err = secretary_from_yaml("defaults", text, on_each, &pair, NULL);
    if (err)
        return err;
    *ret_pt = pair.s[0];
    *ret_en = pair.s[1];
    return VA_OK;
}
