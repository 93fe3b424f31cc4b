/* Call somebody and wait for the outcome:   originate PORT ENDPOINT      (as user/1000)
 * Whatever is in the endpoint, caller id or variables is checked or escaped: no injection. */
#include <esl/esl.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    struct esl_client_cfg cfg = {.port = (uint16_t)(argc > 1 ? strtol(argv[1], NULL, 10) : 0)};
    struct esl_blocking *fs = NULL;
    struct va_fault fault = {0};
    if (argc != 3 || esl_blocking_connect(&cfg, &fs, &fault)) {
        fprintf(stderr, "%s\n", *fault.text ? fault.text : "usage: originate PORT ENDPOINT");
        return 2;
    }

    struct esl_originate call = {.endpoint = argv[2], .app = "park", .timeout_s = 30};
    struct esl_originated end = {.outcome = ESL_FAILED};
    struct esl_answer answer = {0};
    struct esl_then then = esl_blocking_then(&answer, 0);
    char uuid[UUID_TEXT];
    enum va_err err = esl_originate(esl_blocking_switch(fs), &call, &then, uuid, &fault);
    if (!err)
        err = esl_blocking_wait(fs, &answer);
    if (*fault.text)
        fprintf(stderr, "%s\n", fault.text);
    else if (esl_originate_read(err, str_make(answer.text, answer.len), &end) == VA_OK)
        printf("%s %.*s\n", esl_outcome_text(end.outcome), STR_ARG(end.uuid));

    esl_answer_free(&answer);
    esl_blocking_close(&fs);
    return end.outcome == ESL_ANSWERED ? 0 : 1;
}
