/* app/esl_out: a reader that does not read costs lines, never time; what comes out is whole. */
#include "unit/unit.h"

#include "app/esl_out.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

enum { LINE = 1000, LINES = 50000 };

static void add_lines(struct esl_out *o, size_t count)
{
    char line[LINE];
    for (size_t i = 0; i < count; i++) {
        memset(line, 'a' + (int)(i % 26), sizeof(line));
        line[LINE - 1] = '\n';
        esl_out_add(o, str_make(line, sizeof(line)));
    }
}

static size_t read_all(int fd, struct buf *got)
{
    static char block[65536];
    size_t sum = 0;
    for (ssize_t n; (n = read(fd, block, sizeof(block))) > 0; sum += (size_t)n)
        (void)buf_add(got, block, (size_t)n);
    return sum;
}

static void a_reader_that_sleeps(void **state)
{
    struct loop *loop = NULL;
    struct esl_out out;
    struct buf got;
    int fd[2];
    (void)state;
    assert_int_equal(pipe2(fd, O_CLOEXEC), 0);
    assert_int_equal(fcntl(fd[0], F_SETFL, O_NONBLOCK), 0);
    assert_int_equal(loop_new(NULL, 0, &loop), VA_OK);
    buf_init(&got, 64 << 20);
    esl_out_open(&out, loop, fd[1]);
    assert_int_equal(fcntl(fd[1], F_GETFL) & O_NONBLOCK, 0); /* the shell's stays as it was */
    add_lines(&out, LINES);
    for (int i = 0; i < 5; i++)
        loop_turn(loop, false); /* nobody reads: there is nothing to wait for */
    assert_true(out.dropped > 0);
    uint64_t kept = LINES - out.dropped;
    while (got.len < kept * LINE) {
        (void)read_all(fd[0], &got);
        loop_turn(loop, got.len < kept * LINE);
    }
    assert_int_equal(got.len, kept * LINE);
    for (size_t i = 0; i < kept; i++) {
        assert_int_equal(got.p[i * LINE], 'a' + (int)(i % 26));
        assert_int_equal(got.p[(i + 1) * LINE - 1], '\n');
    }
    esl_out_now(&out, str_of("last\n"));
    assert_int_equal(read_all(fd[0], &got), 5);
    esl_out_close(&out);
    loop_free(&loop);
    buf_free(&got);
    (void)close(fd[0]);
    (void)close(fd[1]);
}

static void a_reader_that_goes_away(void **state)
{
    struct loop *loop = NULL;
    struct esl_out out;
    int fd[2];
    (void)state;
    assert_int_equal(pipe2(fd, O_CLOEXEC), 0);
    assert_int_equal(loop_new(NULL, 0, &loop), VA_OK);
    esl_out_open(&out, loop, fd[1]);
    (void)close(fd[0]);
    add_lines(&out, 10);
    while (!out.broken)
        loop_turn(loop, true);
    add_lines(&out, 10);
    esl_out_now(&out, str_of("x"));
    esl_out_close(&out);
    loop_free(&loop);
    (void)close(fd[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reader_that_sleeps),
        cmocka_unit_test(a_reader_that_goes_away),
    };
    (void)signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests_name("app_esl_out", tests, NULL, NULL);
}
