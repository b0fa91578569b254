-- The panel's identity at a gateway lies in a folder of its own, and the panel renews it: the register says so, where
-- nobody has written something else.

UPDATE credentials
SET
    place = 'the folder devices in the panel''s data folder, and the gateway''s list of paired devices',
    procedure
    = 'No date: it is changed when somebody may have copied the panel''s data folder. The panel does it: use the button. '
    || 'It pairs a new identity with the gateway, proves it, takes it into use, and removes the old one.'
    || E'\n\nBy hand, when the panel cannot:\n\n'
    || E'1. Stop the panel\n'
    || E'2. In its data folder, move the gateway''s folder in `devices` aside\n'
    || E'3. Start the panel: it makes a new identity and pairs it with the gateway\n'
    || E'4. Remove the old device from the gateway''s list: `openclaw devices list`, then `openclaw devices remove`\n'
    || '5. Delete the folder that was moved aside'
WHERE kind = 'panel-device' AND procedure LIKE '%Move `device.json` in its data folder aside%';

UPDATE credentials
SET place = 'the folder devices in the panel''s data folder, and the gateway''s list of paired devices'
WHERE kind = 'panel-device' AND place LIKE 'device.json %';
