/* media/recorder: a worker's loop here, a disk thread there. */
#include "media/measure.h"
#include "media/recorder.h"
#include "media/wav.h"

#include "unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { FRAME = 160 };

struct rig {
    struct loop *loop;
    struct loop_thread *disk;
    char folder[32], path[64], part[80];
    struct recorder *rec;
    unsigned done;
    enum va_err err;
    uint64_t ms, dropped;
    char text[512], told_path[80];
    bool close_in_handler;
};

static void on_done(void *arg, const struct recorder_result *result)
{
    struct rig *r = arg;
    r->done++;
    r->err = result->err;
    r->ms = result->duration_ms;
    r->dropped = result->dropped_samples;
    (void)snprintf(r->text, sizeof(r->text), "%s", result->text);
    (void)snprintf(r->told_path, sizeof(r->told_path), "%s", result->path);
    if (r->close_in_handler)
        recorder_close(&r->rec);
}

static void rig_open(struct rig *r)
{
    *r = (struct rig){.folder = "/tmp/va-rec-XXXXXX"};
    assert_non_null(mkdtemp(r->folder));
    (void)snprintf(r->path, sizeof(r->path), "%s/call.wav", r->folder);
    (void)snprintf(r->part, sizeof(r->part), "%s.part", r->path);
    assert_int_equal(loop_new(NULL, 0, &r->loop), VA_OK);
    assert_int_equal(loop_thread_start("disk", NULL, &r->disk), VA_OK);
}

static void rig_close(struct rig *r)
{
    loop_thread_stop(&r->disk);
    loop_free(&r->loop);
    (void)unlink(r->path);
    (void)unlink(r->part);
    (void)rmdir(r->folder);
}

static enum va_err record(struct rig *r, int batch_ms)
{
    struct recorder_cfg cfg = {r->path, 8000, batch_ms};
    return recorder_open(r->loop, loop_thread_loop(r->disk), &cfg, on_done, r, &r->rec);
}

static void wait_done(struct rig *r)
{
    while (!r->done)
        loop_turn(r->loop, true);
}

struct probe {
    struct mail mail;
    struct rig *rig;
    bool back;
};

static void on_probe_back(struct mail *m)
{
    container_of(m, struct probe, mail)->back = true;
}

static void on_probe(struct mail *m)
{
    struct probe *p = container_of(m, struct probe, mail);
    m->deliver = on_probe_back;
    loop_reply(p->rig->loop, m);
}

/* Until the disk has done, and we have heard, all that was sent so far. */
static void sync_disk(struct rig *r)
{
    struct probe p = {{NULL, on_probe}, r, false};
    assert_int_equal(loop_post(loop_thread_loop(r->disk), &p.mail), VA_OK);
    while (!p.back)
        loop_turn(r->loop, true);
}

static struct pcm *load(const char *path, enum wav_channel channel)
{
    struct wav_want want = {0, channel};
    struct pcm *pcm = NULL;
    struct va_fault fault = {VA_OK, ""};
    assert_int_equal(wav_load(path, &want, &pcm, &fault), VA_OK);
    return pcm;
}

/* Frame number k: the caller says k + 1, the agent −(k + 1); each is silent sometimes. */
static void tick(struct rig *r, int k)
{
    int16_t caller[FRAME], agent[FRAME];
    for (size_t i = 0; i < FRAME; i++) {
        caller[i] = (int16_t)(k + 1);
        agent[i] = (int16_t) - (k + 1);
    }
    recorder_tick(r->rec, k % 7 == 3 ? NULL : caller, k % 5 == 2 ? NULL : agent, FRAME);
}

static void a_call_is_recorded_in_stereo(void **state)
{
    (void)state;
    enum { FRAMES = 333 };
    struct rig r;
    rig_open(&r);
    assert_int_equal(record(&r, 30), VA_OK); /* batches that cut frames in the middle */
    for (int k = 0; k < FRAMES; k++) {
        tick(&r, k);
        uint64_t dropped = recorder_dropped(r.rec);
        assert_int_equal(dropped, 0);
        if (k % 8 == 7) /* eight batches of 30 ms may be away */
            sync_disk(&r);
    }
    assert_int_equal(access(r.path, F_OK), -1);
    recorder_close(&r.rec);
    assert_null(r.rec);
    assert_int_equal(r.done, 0);
    wait_done(&r);
    assert_int_equal(r.err, VA_OK);
    assert_string_equal(r.told_path, r.path);
    assert_string_equal(r.text, "");
    assert_int_equal(r.ms, FRAMES * 20);
    assert_int_equal(access(r.part, F_OK), -1);
    struct pcm *left = load(r.path, WAV_LEFT), *right = load(r.path, WAV_RIGHT);
    assert_int_equal(pcm_count(left), FRAMES * FRAME);
    for (int i = 0; i < FRAMES * FRAME; i++) {
        int k = i / FRAME;
        assert_int_equal(pcm_samples(left)[i], k % 7 == 3 ? 0 : k + 1);
        assert_int_equal(pcm_samples(right)[i], k % 5 == 2 ? 0 : -(k + 1));
    }
    pcm_unref(&left);
    pcm_unref(&right);
    rig_close(&r);
}

struct stopper {
    struct mail mail;
    uv_sem_t entered, go;
};

static void block_disk(struct mail *m)
{
    struct stopper *s = container_of(m, struct stopper, mail);
    uv_sem_post(&s->entered);
    uv_sem_wait(&s->go);
}

static void what_the_disk_cannot_take_is_silence_of_the_same_length(void **state)
{
    (void)state;
    enum { FRAMES = 40, BATCH = 2 };
    struct rig r;
    rig_open(&r);
    struct stopper s = {.mail = {NULL, block_disk}};
    (void)uv_sem_init(&s.entered, 0);
    (void)uv_sem_init(&s.go, 0);
    assert_int_equal(loop_post(loop_thread_loop(r.disk), &s.mail), VA_OK);
    uv_sem_wait(&s.entered);
    assert_int_equal(record(&r, 20 * BATCH), VA_OK);
    for (int k = 0; k < FRAMES; k++) /* 20 batches; eight may be away */
        tick(&r, k);
    uint64_t lost = (uint64_t)(FRAMES - RECORDER_PENDING_MAX * BATCH) * FRAME;
    assert_int_equal(recorder_dropped(r.rec), lost);
    uv_sem_post(&s.go);
    sync_disk(&r);
    int k = FRAMES;
    for (; k < FRAMES + 10; k++)
        tick(&r, k);
    recorder_close(&r.rec);
    wait_done(&r);
    assert_int_equal(r.err, VA_OK);
    assert_int_equal(r.ms, (uint64_t)k * 20);
    assert_int_equal(r.dropped, lost);
    struct pcm *left = load(r.path, WAV_LEFT);
    for (int i = 0; i < k * FRAME; i++) {
        int at = i / FRAME, x = pcm_samples(left)[i];
        bool kept = at < RECORDER_PENDING_MAX * BATCH || at >= FRAMES;
        assert_int_equal(x, kept && at % 7 != 3 ? at + 1 : 0);
    }
    pcm_unref(&left);
    uv_sem_destroy(&s.entered);
    uv_sem_destroy(&s.go);
    rig_close(&r);
}

static void an_unwritable_folder_is_told_once(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r);
    (void)snprintf(r.path, sizeof(r.path), "%s/no/call.wav", r.folder);
    assert_int_equal(record(&r, 0), VA_OK);
    wait_done(&r);
    assert_int_equal(r.err, VA_ENOTFOUND);
    assert_non_null(strstr(r.text, "/no/call.wav.part"));
    assert_non_null(strstr(r.text, "folder exist"));
    for (int k = 0; k < 200; k++)
        tick(&r, k);
    recorder_close(&r.rec);
    loop_thread_stop(&r.disk);
    loop_turn(r.loop, false);
    assert_int_equal(r.done, 1);
    rig_close(&r);
}

static void a_full_disk_is_told_once_and_closing_in_the_handler_is_fine(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r);
    r.close_in_handler = true;
    assert_int_equal(symlink("/dev/full", r.part), 0);
    assert_int_equal(record(&r, 0), VA_OK);
    wait_done(&r);
    assert_int_equal(r.err, VA_EIO);
    assert_non_null(strstr(r.text, "No space"));
    assert_null(r.rec);
    rig_close(&r);
    assert_int_equal(r.done, 1);
}

static void forgetting_finishes_the_file_without_a_word(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r);
    assert_int_equal(record(&r, 0), VA_OK);
    for (int k = 0; k < 10; k++)
        tick(&r, k);
    recorder_forget(&r.rec);
    recorder_forget(&r.rec);
    recorder_close(&r.rec);
    loop_thread_stop(&r.disk); /* what was posted is still done */
    loop_turn(r.loop, false);
    struct pcm *left = load(r.path, WAV_LEFT);
    assert_int_equal(pcm_count(left), 10 * FRAME);
    pcm_unref(&left);
    assert_int_equal(r.done, 0);
    rig_close(&r);
}

static void wrong_settings_are_refused(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r);
    assert_int_equal(record(&r, 10), VA_EINVAL);
    struct recorder_cfg cfg = {"", 8000, 0};
    struct loop *disk = loop_thread_loop(r.disk);
    assert_int_equal(recorder_open(r.loop, disk, &cfg, on_done, &r, &r.rec), VA_EINVAL);
    cfg = (struct recorder_cfg){r.path, 11025, 0};
    assert_int_equal(recorder_open(r.loop, disk, &cfg, on_done, &r, &r.rec), VA_EINVAL);
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_is_recorded_in_stereo),
        cmocka_unit_test(what_the_disk_cannot_take_is_silence_of_the_same_length),
        cmocka_unit_test(an_unwritable_folder_is_told_once),
        cmocka_unit_test(a_full_disk_is_told_once_and_closing_in_the_handler_is_fine),
        cmocka_unit_test(forgetting_finishes_the_file_without_a_word),
        cmocka_unit_test(wrong_settings_are_refused),
    };
    return cmocka_run_group_tests_name("media recorder", tests, NULL, NULL);
}
