//! The generic tests, once for every rung that may be the one that helps.

use domain::operation::Command;

use crate::testing::{Cure, World, gateway};

fn recover() -> Command {
    Command::Recover {
        gateway: gateway(),
        account: "default".parse().unwrap(),
    }
}

mod a_reconnect_cures {
    use super::{Cure, World, recover};
    use crate::testing::story_tests::{Scenario, story_tests};

    fn scenario() -> Scenario {
        let untouched = |world: &World| {
            assert!(world.assert_runs().starts_with("old"));
            assert_eq!(world.lock().stopped, Vec::<String>::new());
        };
        Scenario {
            command: recover(),
            world: || World::dropped(Cure::Reconnect),
            done: untouched,
            undone: untouched,
        }
    }

    story_tests!(scenario);
}

mod a_restart_cures {
    use super::{Cure, World, recover};
    use crate::testing::story_tests::{Scenario, story_tests};

    fn scenario() -> Scenario {
        let same = |world: &World| assert!(world.assert_runs().starts_with("old"));
        Scenario {
            command: recover(),
            world: || World::dropped(Cure::Restart),
            done: same,
            undone: same,
        }
    }

    story_tests!(scenario);
}

mod a_recreate_cures {
    use domain::fact::ContainerState;

    use super::{World, recover};
    use crate::testing::story_tests::{Scenario, story_tests};

    /// No lower rung is any use, so that the tests are about this one.
    fn dead() -> World {
        let world = World::running();
        world.lock().boxes[0].state = ContainerState::Dead;
        world
    }

    fn scenario() -> Scenario {
        Scenario {
            command: recover(),
            world: dead,
            done: |world| assert!(world.assert_runs().starts_with("new")),
            // Once the new one has proved itself it is kept, whatever comes later.
            undone: |world| {
                let found = world.assert_one();
                let kept = found.state == ContainerState::Running && found.id.starts_with("new");
                assert!(kept || found.state == ContainerState::Dead, "{found:?}");
            },
        }
    }

    story_tests!(scenario);
}

mod a_scan_cures {
    use super::{World, recover};
    use crate::testing::story_tests::{Scenario, story_tests};

    fn put_away(world: &World) {
        assert!(world.assert_runs().starts_with("old"));
        assert_eq!(world.lock().shown, None);
    }

    fn scenario() -> Scenario {
        Scenario {
            command: recover(),
            world: World::logged_out,
            done: |world| {
                put_away(world);
                world.account(|account| assert!(account.linked && account.connected));
            },
            undone: put_away,
        }
    }

    story_tests!(scenario);
}
