/* media/wav: what the reader takes, what it refuses and how it says so; what the writer leaves. */
#include "media/g711.h"
#include "media/measure.h"
#include "media/tone.h"
#include "media/wav.h"

#include "unit/unit.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* A WAV in memory, put together piece by piece. */
struct file {
    uint8_t p[200000];
    size_t len;
};

static void add(struct file *f, const void *p, size_t n)
{
    memcpy(f->p + f->len, p, n);
    f->len += n;
}

static void add16(struct file *f, unsigned v)
{
    uint8_t b[2] = {(uint8_t)v, (uint8_t)(v >> 8)};
    add(f, b, 2);
}

static void add32(struct file *f, uint32_t v)
{
    add16(f, v & 0xffff);
    add16(f, v >> 16);
}

static void begin(struct file *f, unsigned format, unsigned channels, uint32_t rate, unsigned bits)
{
    f->len = 0;
    add(f, "RIFF", 4);
    add32(f, 0x7ffff024); /* as espeak-ng --stdout does */
    add(f, "WAVEfmt ", 8);
    add32(f, 16);
    add16(f, format);
    add16(f, channels);
    add32(f, rate);
    add32(f, rate * channels * bits / 8);
    add16(f, channels * bits / 8);
    add16(f, bits);
}

static void data(struct file *f, uint32_t size)
{
    add(f, "data", 4);
    add32(f, size);
}

static struct file f; /* large; the tests take turns */

static struct pcm *decode(int rate, enum wav_channel channel)
{
    struct wav_want want = {rate, channel};
    struct pcm *pcm = NULL;
    struct va_fault fault = {VA_OK, ""};
    /* An exact copy on the heap, so that ASan sees one byte too far. */
    uint8_t *exact = malloc(f.len);
    memcpy(exact, f.p, f.len);
    enum va_err err = wav_decode(exact, f.len, &want, &pcm, &fault);
    free(exact);
    if (err)
        print_message("%s\n", fault.text);
    assert_int_equal(err, VA_OK);
    return pcm;
}

static void refused(enum va_err code, const char *word)
{
    struct pcm *pcm = NULL;
    struct va_fault fault = {VA_OK, ""};
    assert_int_equal(wav_decode(f.p, f.len, NULL, &pcm, &fault), code);
    assert_null(pcm);
    assert_non_null(strstr(fault.text, word));
    assert_non_null(strstr(fault.text, "accepted: WAV with PCM 16 bit"));
}

static void bogus_sizes_mean_to_the_end(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {4, 0, 0x7ffff000, 0xffffffff, 5};
    for (size_t i = 0; i < 5; i++) {
        begin(&f, 1, 1, 8000, 16);
        data(&f, sizes[i]);
        add16(&f, 1000);
        add16(&f, 0x8000);
        if (i > 2)
            f.p[f.len++] = 1; /* half a sample */
        struct pcm *pcm = decode(0, WAV_MIX);
        assert_int_equal(pcm_count(pcm), 2);
        assert_int_equal(pcm_rate_hz(pcm), 8000);
        assert_int_equal(pcm_samples(pcm)[0], 1000);
        assert_int_equal(pcm_samples(pcm)[1], -32768);
        pcm_unref(&pcm);
    }
    begin(&f, 1, 1, 8000, 16); /* truly empty, a chunk follows */
    data(&f, 0);
    add(&f, "LIST", 4);
    add32(&f, 4);
    add(&f, "INFO", 4);
    struct pcm *pcm = decode(16000, WAV_MIX);
    assert_int_equal(pcm_count(pcm), 0);
    pcm_unref(&pcm);
}

static void odd_chunks_are_stepped_over(void **state)
{
    (void)state;
    begin(&f, 1, 2, 8000, 16);
    add(&f, "LIST", 4);
    add32(&f, 3);
    add(&f, "abc\0", 4);
    add(&f, "fact", 4);
    add32(&f, 4);
    add32(&f, 0);
    data(&f, 8);
    add16(&f, 100);
    add16(&f, 300);
    add16(&f, (uint16_t)-100);
    add16(&f, (uint16_t)-300);
    add(&f, "junk", 4);
    static const int16_t want[3][2] = {{200, -200}, {100, -100}, {300, -300}};
    for (int c = 0; c < 3; c++) {
        struct pcm *pcm = decode(0, (enum wav_channel)c);
        assert_int_equal(pcm_count(pcm), 2);
        assert_memory_equal(pcm_samples(pcm), want[c], sizeof(want[c]));
        pcm_unref(&pcm);
    }
}

static void g711_and_extensible_are_read(void **state)
{
    (void)state;
    for (unsigned law = 6; law <= 7; law++) {
        begin(&f, law, 1, 8000, 8);
        data(&f, 256);
        for (int i = 0; i < 256; i++)
            f.p[f.len++] = (uint8_t)i;
        struct pcm *pcm = decode(0, WAV_LEFT);
        assert_int_equal(pcm_count(pcm), 256);
        for (int i = 0; i < 256; i++)
            assert_int_equal(pcm_samples(pcm)[i], law == 6 ? g711_alaw_decode((uint8_t)i)
                                                           : g711_ulaw_decode((uint8_t)i));
        pcm_unref(&pcm);
    }
    begin(&f, 0xfffe, 1, 8000, 16);
    f.p[16] = 40;
    add16(&f, 22);
    add16(&f, 16);
    add32(&f, 4);
    add16(&f, 1);
    add(&f, "\0\0\0\0\x10\0\x80\0\0\xaa\0\x38\x9b\x71", 14);
    data(&f, 2);
    add16(&f, 77);
    struct pcm *pcm = decode(0, WAV_MIX);
    assert_int_equal(pcm_samples(pcm)[0], 77);
    pcm_unref(&pcm);
}

static void a_wanted_rate_is_made(void **state)
{
    (void)state;
    begin(&f, 1, 1, 22050, 16);
    data(&f, 0x7ffff000);
    int16_t x[22050];
    struct tone t;
    tone_init(&t, 22050, 1000, -12);
    tone_fill(&t, x, 22050);
    for (int i = 0; i < 22050; i++)
        add16(&f, (uint16_t)x[i]);
    struct pcm *pcm = decode(8000, WAV_MIX);
    assert_int_equal(pcm_count(pcm), 8000);
    assert_true(fabs(measure_frequency_hz(pcm_samples(pcm), 8000, 8000) - 1000) < 1);
    assert_true(fabs(measure_rms_dbfs(pcm_samples(pcm), 8000) + 12) < 0.2);
    pcm_unref(&pcm);
}

static void what_is_wrong_is_said(void **state)
{
    (void)state;
    f.len = 0;
    refused(VA_EPROTO, "empty file");
    add(&f, "OggS aaaabbbb", 13);
    refused(VA_EPROTO, "an Ogg file");
    memcpy(f.p, "ID3\4", 4);
    refused(VA_EPROTO, "an MP3 file");
    f.len = 3;
    refused(VA_EPROTO, "cut off");
    begin(&f, 3, 1, 8000, 32);
    data(&f, 0);
    refused(VA_ENOTSUP, "format 3 with 32 bits");
    begin(&f, 1, 6, 8000, 16);
    data(&f, 0);
    refused(VA_ENOTSUP, "6 channels");
    begin(&f, 1, 1, 999, 16);
    data(&f, 0);
    refused(VA_ENOTSUP, "999 Hz");
    begin(&f, 1, 1, 8000, 16);
    refused(VA_EPROTO, "no audio");
    f.len = 12;
    refused(VA_EPROTO, "no format chunk");
    data(&f, 0);
    refused(VA_EPROTO, "audio before its format");
}

static void every_cut_of_a_file_is_survived(void **state)
{
    (void)state;
    begin(&f, 1, 2, 8000, 16);
    add(&f, "LIST", 4);
    add32(&f, 3);
    add(&f, "abc\0", 4);
    data(&f, 8);
    add(&f, "12345678", 8);
    size_t full = f.len;
    for (f.len = 0; f.len < full; f.len++) {
        uint8_t *exact = malloc(f.len ? f.len : 1);
        memcpy(exact, f.p, f.len);
        struct pcm *pcm = NULL;
        if (wav_decode(exact, f.len, NULL, &pcm, NULL) == VA_OK)
            assert_true(f.len >= full - 8);
        pcm_unref(&pcm);
        free(exact);
    }
}

static void a_crash_leaves_a_file_that_plays(void **state)
{
    (void)state;
    char path[] = "/tmp/va-wav-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    (void)close(fd);
    struct wav_writer *w = NULL;
    struct va_fault fault = {VA_OK, ""};
    assert_int_equal(wav_writer_open(path, 8000, 2, &w, &fault), VA_OK);
    static int16_t x[16000];
    for (int i = 0; i < 16000; i++)
        x[i] = (int16_t)(i % 2 ? -i : i);
    assert_int_equal(wav_writer_write(w, x, 8000, &fault), VA_OK);
    assert_int_equal(wav_writer_write(w, NULL, 4000, &fault), VA_OK);
    assert_int_equal(wav_writer_frames(w), 12000);
    struct pcm *pcm = NULL;
    struct wav_want left = {0, WAV_LEFT};
    assert_int_equal(wav_load(path, &left, &pcm, &fault), VA_OK); /* as if we died here */
    assert_int_equal(pcm_count(pcm), 8000);
    pcm_unref(&pcm);
    assert_int_equal(wav_writer_close(&w, &fault), VA_OK);
    assert_null(w);
    assert_int_equal(wav_load(path, &left, &pcm, &fault), VA_OK);
    assert_int_equal(pcm_count(pcm), 12000);
    assert_int_equal(pcm_samples(pcm)[7999], 15998);
    assert_int_equal(pcm_samples(pcm)[8000], 0);
    pcm_unref(&pcm);
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_size, 44 + 48000);
    (void)unlink(path);
}

static void file_errors_name_the_file(void **state)
{
    (void)state;
    struct pcm *pcm = NULL;
    struct wav_writer *w = NULL;
    struct va_fault fault;
    assert_int_equal(wav_load("/nowhere/a.wav", NULL, &pcm, &fault), VA_ENOTFOUND);
    assert_non_null(strstr(fault.text, "/nowhere/a.wav"));
    assert_int_equal(wav_load("/tmp", NULL, &pcm, &fault), VA_EINVAL);
    assert_int_equal(wav_load("/proc/self/status", NULL, &pcm, &fault), VA_EPROTO);
    assert_int_equal(wav_writer_open("/nowhere/a.wav", 8000, 1, &w, &fault), VA_ENOTFOUND);
    assert_int_equal(wav_writer_open("/tmp/x.wav", 8000, 3, &w, &fault), VA_EINVAL);
    assert_int_equal(wav_writer_open("/dev/full", 8000, 1, &w, &fault), VA_EIO);
    assert_non_null(strstr(fault.text, "No space"));
    assert_null(w);
    assert_int_equal(wav_writer_close(&w, NULL), VA_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bogus_sizes_mean_to_the_end),
        cmocka_unit_test(odd_chunks_are_stepped_over),
        cmocka_unit_test(g711_and_extensible_are_read),
        cmocka_unit_test(a_wanted_rate_is_made),
        cmocka_unit_test(what_is_wrong_is_said),
        cmocka_unit_test(every_cut_of_a_file_is_survived),
        cmocka_unit_test(a_crash_leaves_a_file_that_plays),
        cmocka_unit_test(file_errors_name_the_file),
    };
    return cmocka_run_group_tests_name("media wav", tests, NULL, NULL);
}
