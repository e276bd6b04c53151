# Forks as shell scripts do: a few thousand subshells, pipes and commands.

sum=0
for ((i = 0; i < 3000; ++i)); do
  value=$(echo $((i * 7 % 101)))
  sum=$((sum + value))
done
echo "subshells $sum"

count=0
for ((i = 0; i < 300; ++i)); do
  /bin/true && count=$((count + 1))
  lines=$(printf '%s\n' {1..50} | sort -r | head -n 3 | tr '\n' ' ')
  count=$((count + ${#lines}))
done
echo "commands $count"

declare -A table
for ((i = 0; i < 30000; ++i)); do
  table[key$((i % 5000))]+="x$i"
done
length=0
for key in "${!table[@]}"; do
  length=$((length + ${#table[$key]}))
done
echo "table $length"

for ((i = 0; i < 200; ++i)); do
  (
    own="$i"
    exit $((own % 2))
  ) &
done
wait
echo "background jobs done"
