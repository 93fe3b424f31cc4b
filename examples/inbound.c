/* Ask FreeSWITCH something:   inbound [PORT [COMMAND]]
 *     cc inbound.c -o inbound $(pkg-config --cflags --libs voice-ai-esl) */
#include <esl/esl.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    struct esl_client_cfg cfg = {.port = (uint16_t)(argc > 1 ? strtol(argv[1], NULL, 10) : 8021)};
    struct esl_blocking *fs = NULL;
    struct va_fault fault;
    if (esl_blocking_connect(&cfg, &fs, &fault)) {
        fprintf(stderr, "%s\n", fault.text); /* one line: cause and fix */
        return 2;
    }

    struct esl_answer answer = {0};
    enum va_err err = esl_blocking_api(fs, str_of(argc > 2 ? argv[2] : "status"), &answer);
    if (answer.text)
        printf("%s\n", answer.text);
    else
        fprintf(stderr, "%s\n", va_err_text(err));

    esl_answer_free(&answer);
    esl_blocking_close(&fs);
    return err ? 1 : 0;
}
