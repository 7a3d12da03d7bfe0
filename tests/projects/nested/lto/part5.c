int part5(int n)
{
	int sum = 0;

	for (int i = 0; i < n; i++)
		sum += i * 5 ^ sum;
	return sum;
}
