/* Call somebody and wait for the outcome:   originate PORT ENDPOINT
 * The number comes from a user, so it is checked before it becomes part of a command. */
#include <esl/esl.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    if (argc != 3 || !esl_line_ok(str_of(argv[2])) || strpbrk(argv[2], " {}[]$'")) {
        fprintf(stderr, "usage: originate PORT ENDPOINT, as: originate 8021 user/1000\n");
        return 2;
    }
    struct esl_client_cfg cfg = {.port = (uint16_t)strtol(argv[1], NULL, 10)};
    struct esl_blocking *fs = NULL;
    struct va_fault fault;
    if (esl_blocking_connect(&cfg, &fs, &fault)) {
        fprintf(stderr, "%s\n", fault.text);
        return 2;
    }

    char line[512];
    snprintf(line, sizeof(line), "originate {originate_timeout=30}%s &park()", argv[2]);
    struct esl_answer answer = {0};
    enum va_err err = esl_blocking_bgapi(fs, str_of(line), 60000, &answer); /* rings: a job */
    printf("%s: %s\n", err ? "no" : "answered", answer.text ? answer.text : va_err_text(err));

    esl_answer_free(&answer);
    esl_blocking_close(&fs);
    return err ? 1 : 0;
}
