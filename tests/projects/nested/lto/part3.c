int part3(int n)
{
	int sum = 0;

	for (int i = 0; i < n; i++)
		sum += i * 3 ^ sum;
	return sum;
}
