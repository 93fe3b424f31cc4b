/* media/jitter on a simulated network: what comes out, how late, and whether it clicks. */
#include "media/measure.h"
#include "media/wav.h"

#include "unit/media_jitter_rig.h"

static void t_try(void **state)
{
    (void)state;
    struct { const char *what; double loss, twice, ppm; uint64_t jit; double secs; double hz;} c[] = {
        {"clean", 0,0,0,0,20,1000},
        {"jitter60", 0,0,0,60000,60,1000},
        {"loss5", .05,0,0,0,60,1000},
        {"loss5+jitter60+dup", .05,.02,0,60000,60,1000},
        {"drift+200", 0,0,200,0,600,1000},
        {"drift-200", 0,0,-200,0,600,1000},
        {"drift+200 997", 0,0,200,0,600,997},
        {"drift-200 997", 0,0,-200,0,600,997},
        {"drift-200 997 j20", 0,0,-200,20000,600,997},
        {"drift+200 997 j60", 0,0,200,60000,600,997},
    };
    for (size_t i = 0; i < sizeof(c)/sizeof(c[0]); i++) {
        struct rig r;
        rig_open(&r, 60, 100, 200);
        r.loss = c[i].loss; r.twice = c[i].twice; r.jitter_us = c[i].jit;
        r.packet_us = 20000 * (1 - c[i].ppm / 1e6);
        tone_init(&r.tone, RATE, c[i].hz, -18);
        rig_run(&r, 5);
        struct jitter_stats a, b;
        jitter_stats(r.j, &a);
        rig_forget(&r);
        rig_run(&r, c[i].secs);
        jitter_stats(r.j, &b);
        rig_print(&r, c[i].what);
        size_t at = 0;
        double w = worst_step(r.out, r.out_len, c[i].hz, r.tone.peak, &at);
        print_message("      worst %.3f at %zu, f %.3f, V%zu C%zu S%zu; late %llu conc %.0f ms since 5 s; rms %.2f\n", w, at, measure_frequency_hz(r.out, r.out_len, RATE), r.frames[1], r.frames[2], r.frames[0], (unsigned long long)(b.late-a.late), (double)(b.concealed_samples-a.concealed_samples)/8, measure_rms_dbfs(r.out, r.out_len));
        rig_close(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(t_try)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
