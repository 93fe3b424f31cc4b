/*
 * What the machine allows: the same work against the same fake by the least code that can do it.
 * No library, no promise; a number beside which the libraries' are read. Built by bench/esl.sh.
 *
 *     floor events PORT FORMAT LEVEL COUNT     count blank lines and bytes, read nothing
 *     floor bgapi PORT WINDOW COUNT            count answers by their last line
 */
#include "driver.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static char buf[1 << 20];

static int dial(int port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a))) {
        perror("connect");
        exit(2);
    }
    return fd;
}

static void say(int fd, const char *text, size_t n)
{
    for (ssize_t sent; n && (sent = write(fd, text, n)) > 0; n -= (size_t)sent)
        text += sent;
}

static void ask(int fd, const char *command)
{
    say(fd, command, strlen(command));
    (void)!read(fd, buf, sizeof(buf));
}

/* Message by message, by Content-Length alone. */
static void events(int fd, const char *format, long count)
{
    char command[64];
    size_t have = 0, at = 0;
    long seen = 0;
    long rss;
    double w = wall(), c = cpu(&rss);
    (void)snprintf(command, sizeof(command), "event %s ALL\n\n", format);
    say(fd, command, strlen(command));
    while (seen < count) {
        ssize_t n = read(fd, buf + have, sizeof(buf) - have);
        if (n <= 0)
            break;
        have += (size_t)n;
        for (at = 0; have - at > 100;) {
            const char *blank = memmem(buf + at, have - at < 300 ? have - at : 300, "\n\n", 2);
            if (!blank)
                break;
            size_t body = 0, head = (size_t)(blank + 2 - buf) - at;
            if (memcmp(buf + at, "Content-Length: ", 16) == 0)
                body = strtoul(buf + at + 16, NULL, 10);
            if (have - at < head + body)
                break;
            at += head + body;
            seen += body > 0;
        }
        have -= at;
        memmove(buf, buf + at, have);
    }
    printf("{\"events\":%ld,\"sum\":0,\"wall_s\":%.6f,\"cpu_s\":%.6f,\"rss_kb\":0}\n", seen,
           wall() - w, cpu(&rss) - c);
}

/* Windows of commands, one write each; the next goes when all of the last are answered. */
static void bgapi(int fd, long window, long count)
{
    static const char command[] = "bgapi status\n\n", mark[] = "Stack Size/Max";
    size_t len = sizeof(command) - 1, keep = 0;
    char *all = malloc(len * (size_t)window);
    long done = 0;
    ask(fd, "event plain BACKGROUND_JOB\n\n");
    for (long i = 0; all && i < window; i++)
        memcpy(all + (size_t)i * len, command, len);
    long rss;
    double w = wall(), c = cpu(&rss);
    while (all && done < count) {
        say(fd, all, len * (size_t)window);
        for (long got = 0; got < window;) {
            ssize_t n = read(fd, buf + keep, sizeof(buf) - keep);
            if (n <= 0)
                exit(1);
            char *p = buf, *end = buf + keep + n, *hit;
            for (; (hit = memmem(p, (size_t)(end - p), mark, sizeof(mark) - 1)); p = hit + 1)
                got++;
            keep = (size_t)(end - p) < sizeof(mark) - 2 ? (size_t)(end - p) : sizeof(mark) - 2;
            memmove(buf, end - keep, keep);
        }
        done += window;
    }
    printf("{\"rt\":%ld,\"wall_s\":%.6f,\"cpu_s\":%.6f,\"p50_us\":0,\"p99_us\":0,\"rss_kb\":0}\n",
           done, wall() - w, cpu(&rss) - c);
    free(all);
}

int main(int argc, char **argv)
{
    if (argc < 5)
        return 2;
    int fd = dial((int)strtol(argv[2], NULL, 10));
    (void)!read(fd, buf, sizeof(buf));
    ask(fd, "auth ClueCon\n\n");
    if (strcmp(argv[1], "events") == 0 && argc > 5)
        events(fd, argv[3], strtol(argv[5], NULL, 10));
    else
        bgapi(fd, strtol(argv[3], NULL, 10), strtol(argv[4], NULL, 10));
    return 0;
}
