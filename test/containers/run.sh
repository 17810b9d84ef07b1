#!/usr/bin/env bash
# Tries Dockerfile and docker-compose.snapshot.yml on a Docker engine: npm run test:containers
# Everything happens in a copy of the checkout and under a name of its own, and is removed again.
set -uo pipefail
umask 022
cd "$(dirname "$0")/../.." || exit 1

FILE=docker-compose.snapshot.yml
# What the Dockerfile adds to its base, and the image as a whole, in MB.
MOST_ADDED=100
MOST_TOTAL=400
# Longest wait for anything, in seconds.
PATIENCE=120

if ! docker version >/dev/null 2>&1; then
  echo 'No Docker engine answers: start one, or point DOCKER_HOST at one, and run this again.' >&2
  exit 1
fi
if docker compose version >/dev/null 2>&1; then
  COMPOSE=(docker compose)
elif docker-compose version >/dev/null 2>&1; then
  COMPOSE=(docker-compose)
else
  echo 'Neither docker compose nor docker-compose is there: install one, and run this again.' >&2
  exit 1
fi

project=platesnapshottest$$
work=$(mktemp -d)
log=$work/log
passed=0
failed=0

compose() { "${COMPOSE[@]}" -p "$project" -f "$FILE" "$@"; }
in_app() { compose exec -T app "$@" </dev/null; }
sql() { compose exec -T db psql -U plates -d plates -Atc "$1" </dev/null | tr -d '\r'; }

clean_up() {
  cd "$work/checkout" 2>/dev/null &&
    compose --profile minio down --volumes --rmi local --remove-orphans --timeout 5 >/dev/null 2>&1
  docker rm --force --volumes "$project-alone" >/dev/null 2>&1
  docker volume rm "$project-alone" >/dev/null 2>&1
  cd / && rm -rf "$work"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# check <what> <command…>: one line for each; on a failure also the end of what the command said.
check() {
  local what=$1
  shift
  if "$@" >"$log" 2>&1; then
    passed=$((passed + 1))
    echo "ok      $what"
  else
    failed=$((failed + 1))
    echo "FAILED  $what"
    tail -n 15 "$log" | sed 's/^/        /'
    return 1
  fi
}

# A check without which the others make no sense.
must() { check "$@" || finish; }

is() { [ "$1" = "$2" ] || { echo "is '$1', not '$2'"; return 1; }; }
at_most() { echo "$1 of at most $2"; [ "$1" -le "$2" ]; }
fails() { ! "$@"; }

# until_true <command…>: tries it until it holds.
until_true() {
  local until=$((SECONDS + PATIENCE))
  until "$@"; do
    [ "$SECONDS" -lt "$until" ] || return 1
    sleep 0.2
  done
}

finish() {
  echo
  echo "$passed passed, $failed failed"
  [ "$failed" = 0 ]
  exit
}

# A checkout as it would be committed now: no .env, list or pictures of the user's, nor any setting of the environment's.
mkdir "$work/checkout"
git ls-files -z --cached --others --exclude-standard -- . ':!images' ':!images.txt' |
  while IFS= read -rd '' file; do if [ -e "$file" ]; then printf '%s\0' "$file"; fi; done |
  tar --null -T - -cf - | tar -xf - -C "$work/checkout"
cd "$work/checkout" || exit 1
unset S3_BUCKET S3_URL_STYLE S3_URL_EXPIRES STORE_IMAGES DATABASE_URL POSTGRES_PASSWORD
unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_REGION AWS_ENDPOINT_URL
unset HTTP_PROXY HTTPS_PROXY NO_PROXY COMPOSE_FILE COMPOSE_PROFILES COMPOSE_PROJECT_NAME

nonce=$(node -p "crypto.randomBytes(9).toString('hex')")
password="p@ss/w:rd#%41&?\"\$x y $nonce"
POSTGRES_PORT=$(node -e "const s = net.createServer().listen(0, '127.0.0.1', () => { console.log(s.address().port); s.close() })")
export POSTGRES_PORT
printf 'PLATE_API_KEY=key%s\nSNAPSHOT_API_URL=http://127.0.0.1:8899/v1/plate-reader/\n' "$nonce" >.env

mkdir images
cp samples/*.jpg samples/*.png images/
printf '%s\n' images/* >images.txt
# What must come of the samples: images, different images, rows.
read -r images different rows < <(node -e "
  const files = fs.readdirSync('images').map((name) => crypto.hash('sha256', fs.readFileSync('images/' + name)))
  const answers = JSON.parse(fs.readFileSync('samples/answers.json', 'utf8'))
  const different = [...new Set(files)]
  const rows = different.flatMap((sha256) => answers[sha256]?.results ?? [])
  console.log(files.length, different.length, rows.length)
")

refuses_without_password() {
  ! compose config >"$work/said" 2>&1 && grep 'POSTGRES_PASSWORD' "$work/said"
}
check "$FILE without POSTGRES_PASSWORD is refused, and the message names it" refuses_without_password
export POSTGRES_PASSWORD=$password
check "${COMPOSE[*]} reads $FILE" compose config
services() { compose --profile minio config --services | sort | paste -sd ' ' -; }
check 'the profile minio adds MinIO and its bucket' is "$(services)" 'app db minio minio-bucket'
only_local_ports() { ! sed -n '/ports:/,/^    [a-z]/p' "$FILE" | grep -E '^ +- ' | grep -v '^ *- 127\.0\.0\.1:'; }
check 'every port in the file is bound to 127.0.0.1' only_local_ports

must 'the image builds' compose build
must 'the stack starts' compose up -d
container_of() { compose ps -q "$1"; }
is_healthy() { [ "$(docker inspect --format '{{.State.Health.Status}}' "$(container_of db)")" = healthy ]; }
must 'the database becomes healthy' until_true is_healthy
must 'the app is up' until_true in_app true

app=$(container_of app)
image=$(docker inspect --format '{{.Image}}' "$app")
check 'the app does not run as root' is "$(in_app id -un | tr -d '\r')" node
privileges() { in_app sed -n 's/^\(Cap[A-Z][a-z]*\|NoNewPrivs\):[[:space:]]*//p' /proc/self/status | tr -d '\r' | sort -u | paste -sd ' ' -; }
check 'the app has no capability, and can get none' is "$(privileges)" '0000000000000000 1'
check 'the app cannot write to its own files, nor elsewhere on its root' fails in_app sh -c 'touch /app/dist/x || touch /x || touch /home/node/x'
check 'the app can write to its working directory' in_app sh -c 'touch x && rm x'
check 'the images file and folder are read-only in the app' fails in_app sh -c 'echo >> images.txt || touch images/x'
addresses() {
  docker inspect --format '{{range .NetworkSettings.Ports}}{{range .}}{{.HostIp}} {{end}}{{end}}' "$app" "$(container_of db)" |
    tr -s ' ' '\n' | sort -u | sed '/^$/d'
}
check 'published ports are on 127.0.0.1 only' is "$(addresses)" 127.0.0.1
added() { in_app du -sm /app | cut -f 1; }
check "what is in /app is at most $MOST_ADDED MB (it is $(added) MB)" at_most "$(added)" "$MOST_ADDED"
total=$(($(docker image inspect --format '{{.Size}}' "$image") / 1000000))
check "the image is at most $MOST_TOTAL MB (it is $total MB)" at_most "$total" "$MOST_TOTAL"

has_no_secret() {
  docker create --name "$project-alone" "$image" >/dev/null || return 1
  { docker history --no-trunc "$image" && docker image inspect "$image"; } >"$work/seen" || return 1
  docker export "$project-alone" >>"$work/seen" || return 1
  docker rm "$project-alone" >/dev/null
  ! grep --text --count "$nonce" "$work/seen"
}
check 'no secret is in the image, its history or its files' has_no_secret
rm -f "$work/seen"

in_app sh -c 'exec node /app/dist/sandbox/serve.js 8899 > sandbox.log 2>&1' >/dev/null 2>&1 &
must 'the sandbox starts beside the tool' until_true in_app grep -q 'The sandbox answers' sandbox.log
check 'the new database has the tables already, and migrate finds nothing to do' in_app plate-snapshot migrate

# ingest <images file>
ingest() { in_app plate-snapshot --images "$1" --delay 0 --json >"$work/events" && tail -n 1 "$work/events"; }
counts() {
  node -e "
    const lines = fs.readFileSync('$work/events', 'utf8').trim().split('\n')
    const { images, lookups, duplicate, failed, rows } = JSON.parse(lines.at(-1))
    console.log(JSON.stringify({ images, lookups, duplicate, failed, rows }))
  "
}
expect() { printf '{"images":%s,"lookups":%s,"duplicate":%s,"failed":0,"rows":%s}' "$@"; }
check "exec app plate-snapshot --images images.txt takes $images pictures through" ingest images.txt
check "it asks about $different and inserts $rows rows" \
  is "$(counts)" "$(expect "$images" "$different" $((images - different)) "$rows")"
check 'the rows are in the database, each with its picture' \
  is "$(sql 'SELECT count(*) FROM vehicle_snapshots WHERE image_data IS NOT NULL')" "$rows"
check 'the same list again exits 0' ingest images.txt
check 'it asks nothing and inserts nothing' is "$(counts)" "$(expect "$images" 0 "$images" 0)"
check 'the example list finds the same pictures in the image' ingest /app/images.txt.example
check 'it knows them all' is "$(counts)" "$(expect "$images" 0 "$images" 0)"

check 'the stack goes down' compose down
check 'it comes up again' compose up -d
must 'the app is up again' until_true in_app true
check 'the rows are still there' is "$(sql 'SELECT count(*) FROM vehicle_snapshots')" "$rows"
check 'what exec had started was told to stop, and could end in good order' in_app grep "Lookups answered: $different" sandbox.log

# As docs/cron-and-compose.md has it.
CONFINED=(--read-only --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges)
alone() { docker run --rm "${CONFINED[@]}" --volume "$project-alone:/app/data" "$image" "$@"; }
check 'the image alone runs the demo on its embedded database, on a read-only root, without capabilities' alone demo
finds_all_known() { alone demo | tee /dev/stderr | grep " $images known already"; }
check 'a second container finds that database again' finds_all_known
stops_at_a_signal() {
  docker run --detach --interactive --name "$project-alone" --env PLATE_API_KEY=none "$image" --images - || return 1
  until_true eval "docker logs '$project-alone' 2>&1 | grep -q 'embedded database'" || return 1
  docker stop --time 30 "$project-alone" || return 1
  docker logs "$project-alone"
  is "$(docker inspect --format '{{.State.ExitCode}}' "$project-alone")" 143
}
check 'docker stop ends a run in good order (143)' stops_at_a_signal
docker rm --force --volumes "$project-alone" >/dev/null 2>&1

check 'the stack and its volumes go' compose down --volumes
check 'no volume is left' is "$(docker volume ls --quiet --filter "label=com.docker.compose.project=$project")" ''
finish
