/* ai/chain without memory: whatever cannot be had, everything is closed and nothing is told twice.
 */
#include "unit/oom.h"

#include "unit/chain_rig.h"

/* Room for timers is never given back, and without it the program ends (net/loop). */
static void make_room_for_timers(void)
{
    struct tmr t[64] = {{0}};
    for (size_t i = 0; i < 64; i++)
        tmr_start(&t[i], the_rig.loop, 1000, NULL, NULL);
    for (size_t i = 0; i < 64; i++)
        tmr_stop(&t[i]);
}

/* Ours, the rig's own and the providers' allocations fail alike, once the rig is there. */
static void a_conversation(void)
{
    rig_start();
    make_room_for_timers();
    oom.exempt = 0;
    enum va_err err = rig_open();
    oom.exempt = 1;
    if (!err) {
        oom.exempt = 0;
        settle();
        oom.exempt = 1;
    }
    if (!err && the_rig.fake[ALPHA].p && the_rig.fake[ALPHA].ready) {
        provider_chain.turn(the_rig.chain, TURN_STARTED, 0);
        provider_chain.turn(the_rig.chain, TURN_ENDED, 0);
        oom.exempt = 0;
        it_fails(ALPHA, VA_EIO);
        settle();
        oom.exempt = 1;
        pass(3000);
    }
    rig_stop();
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    oom_sweep(a_conversation, 1);
    oom_sweep(a_conversation, 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_allocation_may_fail)};
    return cmocka_run_group_tests_name("ai chain oom", tests, NULL, NULL);
}
