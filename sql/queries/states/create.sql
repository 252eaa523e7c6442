-- Keeps a rendered state; the bytes go in before the serial is taken.
insert into states (html, json, content, renderer) values ($1, $2, $3, $4) returning id
